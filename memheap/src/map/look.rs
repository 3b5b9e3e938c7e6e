//! How a piece of a row looks: as a letter, as a colour, in words.

/// How a piece of a row looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Live,
    /// Live, too: neighbouring blocks take turns, so that they can be told apart.
    LiveToo,
    Free,
    Mixed,
    Nothing,
    Differs,
}

impl Look {
    pub(super) const ALL: [Look; 6] =
        [Look::Live, Look::LiveToo, Look::Free, Look::Mixed, Look::Nothing, Look::Differs];

    /// How both look in one place. A difference always shows.
    pub(super) fn with(self, other: Look) -> Look {
        let live = |look| matches!(look, Look::Live | Look::LiveToo);
        match (self, other) {
            (a, b) if a == b => a,
            (Look::Differs, _) | (_, Look::Differs) => Look::Differs,
            (Look::Nothing, a) | (a, Look::Nothing) => a,
            (a, b) if live(a) && live(b) => Look::Live,
            _ => Look::Mixed,
        }
    }

    pub(super) fn letter(self) -> char {
        match self {
            Look::Live => '#',
            Look::LiveToo => '=',
            Look::Free => '.',
            Look::Mixed => ':',
            Look::Nothing => ' ',
            Look::Differs => '!',
        }
    }

    pub(super) fn colour(self) -> &'static str {
        match self {
            Look::Live => "#4c78a8",
            Look::LiveToo => "#7ba3cc",
            Look::Free => "#e6e6e6",
            Look::Mixed => "#a9bfd6",
            Look::Nothing => "#ffffff",
            Look::Differs => "#d62728",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Look::Live => "live",
            Look::LiveToo => "live, next block",
            Look::Free => "free",
            Look::Mixed => "live and free",
            Look::Nothing => "not managed",
            Look::Differs => "differs",
        }
    }
}
