//! Breadth-first search of a graph whose vertices are spread over the PEs, level by level.
//!
//! ```text
//!   vertex v lives on PE v mod n, in its place v / n:   parent[v / n]  0, or the parent + 1
//!   each level:  for every edge (u, v) of my frontier: claim parent[v] (compare-and-swap), and whoever
//!                claims it puts v into the owner's next frontier (fetch-add, put)
//! ```
//!
//! `bfs [SCALE] [EDGES]`: 2^SCALE vertices, EDGES for each. The edges are drawn with the skew of an R-MAT graph; each
//! PE keeps those of its own vertices. The check is that of Graph500: the root is its own parent, every
//! tree edge is an edge and joins levels that follow each other, and no edge joins levels further apart than one
//! or a vertex that was reached with one that was not.

use std::process::ExitCode;

use shmem_api::{Error, Sum, World};

use examples::{arguments, sum_of_all};

fn main() -> ExitCode {
    shmem_api::run(bfs)
}

/// Level of a vertex that has not been reached.
const UNREACHED: u64 = u64::MAX;

/// The vertices of one PE: those whose number is `pe` modulo `n`.
#[derive(Clone, Copy)]
struct Spread {
    pe: usize,
    n: usize,
}

impl Spread {
    fn owner(self, vertex: usize) -> usize {
        vertex % self.n
    }
    fn place(self, vertex: usize) -> usize {
        vertex / self.n
    }
    fn vertex(self, place: usize) -> usize {
        place * self.n + self.pe
    }
}

fn bfs(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let (scale, per_vertex) = arguments(13u32, 8usize);
    let vertices = 1usize << scale;
    let spread = Spread { pe: me, n };
    let places = vertices.div_ceil(n);
    let edges = my_edges(scale, per_vertex, spread, places);
    let root = most_connected(world, &edges, spread);

    let mut parent = world.alloc::<u64>(places)?;
    let mut level = world.alloc_with(places, |_| UNREACHED)?;
    let mut frontier: Vec<usize> = Vec::new();
    if spread.owner(root) == me {
        parent[spread.place(root)] = root as u64 + 1;
        level[spread.place(root)] = 0;
        frontier.push(root);
    }
    let mut next = world.alloc::<u64>(places)?;
    let mut next_len = world.alloc_one(0u64)?;
    let mut depth = 0;
    loop {
        world.share((&mut parent, &mut next, &mut next_len), |phase, (parent, next, next_len)| {
            for &u in &frontier {
                for &v in &edges[spread.place(u)] {
                    let (owner, place) = (spread.owner(v), spread.place(v));
                    let free = parent.fetch(owner, place) == 0;
                    if free && parent.compare_swap(owner, place, 0, u as u64 + 1) == 0 {
                        let at = next_len.fetch_add(owner, 0, 1) as usize;
                        next.put_one(owner, at, v as u64);
                    }
                }
            }
            phase.quiet();
        });
        depth += 1;
        frontier = next[..*next_len as usize].iter().map(|v| *v as usize).collect();
        frontier.iter().for_each(|v| level[spread.place(*v)] = depth);
        *next_len = 0;
        if world.reduce_one(Sum, frontier.len() as u64) == 0 {
            break;
        }
    }

    let (mut reached, mut seen_edges) = (0, 0u64);
    world.share((&level, &parent), |_, (level, parent)| {
        let level_of = |v: usize| level.get_one(spread.owner(v), spread.place(v));
        for (place, neighbours) in edges.iter().enumerate().filter(|(p, _)| spread.vertex(*p) < vertices) {
            let (v, mine) = (spread.vertex(place), level.get_one(me, place));
            for &u in neighbours {
                let theirs = level_of(u);
                assert_eq!(
                    mine == UNREACHED,
                    theirs == UNREACHED,
                    "an edge leads out of what was reached: {v} {u}"
                );
                assert!(
                    mine == UNREACHED || mine.abs_diff(theirs) <= 1,
                    "edge {v} {u} joins levels {mine} {theirs}"
                );
            }
            if mine == UNREACHED {
                continue;
            }
            let parent = parent.get_one(me, place) as usize - 1;
            if v == root {
                assert!(parent == root && mine == 0, "the root is its own parent");
            } else {
                assert!(neighbours.contains(&parent), "{parent}, the parent of {v}, is no neighbour of it");
                assert_eq!(level_of(parent) + 1, mine, "levels of {v} and its parent {parent}");
            }
            reached += 1;
            seen_edges += neighbours.len() as u64;
        }
    });
    let [reached, seen_edges] = sum_of_all(world, &[reached, seen_edges]);
    if me == 0 {
        let edges = seen_edges / 2;
        eprintln!(
            "bfs: from {root}, {reached} of {vertices} vertices in {depth} levels over {edges} edges, {n} PEs"
        );
    }
    Ok(())
}

/// The neighbours of each of this PE's vertices. Every PE draws all edges alike and keeps its own.
fn my_edges(scale: u32, per_vertex: usize, spread: Spread, places: usize) -> Vec<Vec<usize>> {
    let mut random = fastrand::Rng::with_seed(500);
    let mut neighbours = vec![Vec::new(); places];
    for _ in 0..per_vertex << scale {
        let (mut u, mut v) = (0, 0);
        for _ in 0..scale {
            // The four quarters of the matrix of edges, with R-MAT's chances: 57, 19, 19 and 5 of 100.
            let (down, right) = match random.u32(..100) {
                0..57 => (0, 0),
                57..76 => (0, 1),
                76..95 => (1, 0),
                _ => (1, 1),
            };
            (u, v) = (u << 1 | down, v << 1 | right);
        }
        for (a, b) in [(u, v), (v, u)] {
            if spread.owner(a) == spread.pe && a != b {
                neighbours[spread.place(a)].push(b);
            }
        }
    }
    neighbours
}

/// The vertex with the most neighbours, the same on every PE.
fn most_connected(world: &World, edges: &[Vec<usize>], spread: Spread) -> usize {
    let best = (0..edges.len()).max_by_key(|place| edges[*place].len()).unwrap_or(0);
    let all = world.collect_one([edges[best].len(), spread.vertex(best)]);
    let most = all.into_iter().max_by_key(|[edges, vertex]| (*edges, std::cmp::Reverse(*vertex)));
    most.map_or(0, |[_, vertex]| vertex)
}
