//! Teams as the engine has them: who the members are, and how they meet.
//!
//! ```text
//!   TeamCore ── members, my rank, a slot ──► Mailbox[slot] in each member's segment
//!      │
//!      ├─ meet, meet_showing, sync   a rendezvous of all members that compares (see `rendezvous`)
//!      └─ call                       any other collective: see `call`
//! ```
//!
//! The world is a team in slot 0, and the PEs of this host are one in slot 1. An active set meets in the same way, on
//! mailboxes of its own (`active_set`). Every collective call of a team has a number, the same on all members, since all
//! call in the same order; what a PE shows names its number and its kind, so a call never pairs with another. Calls in
//! which a PE meets nobody have a number as all others, and leave a trace, which the next rendezvous compares.
//!
//! | file | what |
//! |---|---|
//! | `core`, `meet`, `waiting` | a team on one of its members; how they meet, and how they wait for each other |
//! | `rendezvous` | the barrier that compares, and its verdict |
//! | `upper` | hosts meet: what a rendezvous does if members are on several |
//! | `members` | who meets, and how one waits for another |
//! | `call` | one collective call, from entering to leaving |
//! | `table`, `split` | the teams of a PE, by slot; making and ending them |
//! | `shelf` | what is looked up by number without a lock: teams, active sets |
//! | `active_set` | PEs that call together without having made a team |
//! | `contexts` | handles of contexts and teams |
//!
//! Invariants: **TEAM-T1** one call at a time on a team of a PE: other threads wait for the team's `Serial`, those
//! on other teams do not. **TEAM-T2** a PE that shows something in call k has waited until every member has left call k - 2:
//! so a cell is laid anew only when nobody reads it, and who gives is never more than one call ahead of who
//! takes. **TEAM-T3** the numbers of a slot grow, whichever team has it. **TEAM-T4** a PE that goes ahead of others in call k has
//! waited until every member has left call k - 2; in an active set, call k - 1: programs alternate between two `pSync`,
//! each of which counts by itself, and take the first call for finished everywhere before the third begins.

pub(crate) mod active_set;
pub(crate) mod call;
pub(crate) mod contexts;
pub(crate) mod core;
pub(crate) mod meet;
pub(crate) mod members;
pub(crate) mod rendezvous;
pub(crate) mod shelf;
pub(crate) mod split;
pub(crate) mod table;
pub(crate) mod upper;
pub(crate) mod waiting;
