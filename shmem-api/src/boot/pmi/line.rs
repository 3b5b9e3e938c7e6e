//! One line of PMI-1: `cmd=NAME key=value key=value`. It comes from outside, so it is read as what it is.
//!
//! Invariant: no bytes make this fail otherwise than by an error, and nothing is kept that is longer than [`LONGEST`].

/// Bytes of the longest line, its end not counted.
pub(super) const LONGEST: usize = 64 * 1024;

/// A line, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pairs: Vec<(String, String)>,
}

impl Line {
    /// From a line without its end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Line, String> {
        if bytes.len() > LONGEST {
            return Err(format!("a line of {} bytes", bytes.len()));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|_| format!("a line that is no text: {}", shown(bytes)))?;
        let words = text.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
        // A word without `=` is one more word of a message.
        let pairs = words.filter_map(|word| word.split_once('='));
        let pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        match pairs.first() {
            Some((key, _)) if key == "cmd" => Ok(Line { pairs }),
            _ => Err(format!("a line that is no answer: {}", shown(bytes))),
        }
    }

    /// What it answers.
    pub(super) fn command(&self) -> &str {
        self.get("cmd").unwrap_or_default()
    }

    /// The first value of that name.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> Option<usize> {
        self.get(key)?.parse().ok()
    }

    /// # Errors
    /// It says that what was asked for failed.
    pub(super) fn succeeded(&self) -> Result<(), String> {
        match self.get("rc") {
            None | Some("0") => Ok(()),
            Some(rc) => {
                let msg = self.get("msg").unwrap_or("no reason");
                Err(format!("{} says {} ({})", self.command(), shown(msg.as_bytes()), shown(rc.as_bytes())))
            }
        }
    }
}

/// The lines among bytes as they come.
#[derive(Default)]
pub(super) struct Incoming(Vec<u8>);

impl Incoming {
    /// More has come.
    ///
    /// # Errors
    /// It is no line, however long one waits.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.extend_from_slice(bytes);
        match self.0.len() > LONGEST && !self.0.contains(&b'\n') {
            true => Err(format!("more than {LONGEST} bytes without an end of line")),
            false => Ok(()),
        }
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let end = self.0.iter().position(|b| *b == b'\n')?;
        let rest = self.0.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.0, rest);
        line.pop();
        Some(line)
    }
}

/// The beginning of it, fit to be printed.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_hydra() {
        let line = Line::parse(b"cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024").unwrap();
        assert_eq!((line.command(), line.number("vallen_max")), ("maxes", Some(1024)));
        assert_eq!(line.get("rc"), None);
        line.succeeded().unwrap();
        let line = Line::parse(b"cmd=get_result rc=-1 msg=key_not_found value=unknown").unwrap();
        assert_eq!(line.succeeded().unwrap_err(), "get_result says \"key_not_found\" (\"-1\")");
        let line = Line::parse(b"cmd=get_result rc=0 msg=success value=(vector,(0,1,2))").unwrap();
        assert_eq!(line.get("value"), Some("(vector,(0,1,2))"));
        for wrong in [&b""[..], b"x", b"mcmd=spawn", b"rc=0 cmd=x", b"\xff\xfe=1", &vec![b'a'; LONGEST + 1]] {
            assert!(Line::parse(wrong).is_err());
        }
    }

    #[test]
    fn lines_come_in_pieces() {
        let mut incoming = Incoming::default();
        incoming.push(b"cmd=a\ncmd").unwrap();
        assert_eq!(incoming.next().as_deref(), Some(&b"cmd=a"[..]));
        assert_eq!(incoming.next(), None);
        incoming.push(b"=b\n\n").unwrap();
        assert_eq!(incoming.next().as_deref(), Some(&b"cmd=b"[..]));
        assert_eq!(incoming.next().as_deref(), Some(&b""[..]));
        assert_eq!(incoming.next(), None);
        incoming.push(&[b'x'; LONGEST]).unwrap();
        assert!(incoming.push(b"y").is_err());
    }

    /// 100,000 lines: answers with pieces left out, doubled and replaced, and plain noise. `SHMEM_TEST_SEED` repeats.
    #[cfg(feature = "testing")]
    #[test]
    fn no_line_makes_it_fail() {
        use memheap::conformance::Rng;
        let time = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |t| t.as_nanos() as u64);
        let seed = std::env::var("SHMEM_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(time);
        eprintln!("SHMEM_TEST_SEED={seed}");
        let pieces: [&[u8]; 20] = [
            b"cmd=",
            b"cmd",
            b"=",
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"rc=0",
            b"rc=-1",
            b"msg=no such",
            b"value=",
            b"\0",
            b"get_result",
            b"response_to_init",
            b"\xff\xfe",
            b"vallen_max=18446744073709551616",
            b"kvsname=kvs_1_0",
            b"==",
            b"\xc3\xa4",
            b"barrier_out",
        ];
        let mut random = Rng::new(seed);
        let mut incoming = Incoming::default();
        let (mut good, mut lines) = (0, 0);
        while lines < 100_000 {
            let mut bytes = Vec::new();
            if random.below(3) > 0 {
                bytes.extend_from_slice(b"cmd=get_result rc=0 ");
            }
            for _ in 0..random.below(12) {
                match random.below(4) {
                    0 => bytes.extend((0..random.below(20)).map(|_| 0).collect::<Vec<u8>>()),
                    1 => bytes.push(random.bits() as u8),
                    _ => bytes.extend_from_slice(pieces[random.below(20) as usize]),
                }
            }
            if random.below(2000) == 0 {
                bytes.resize(random.below(2 * LONGEST as u64) as usize, b'=');
            }
            if random.below(4) > 0 {
                bytes.push(b'\n');
            }
            if incoming.push(&bytes).is_err() {
                incoming = Incoming::default();
            }
            lines += 1;
            while let Some(line) = incoming.next() {
                assert!(!line.contains(&b'\n'), "seed {seed}");
                match Line::parse(&line) {
                    Ok(line) => {
                        good += 1;
                        let _ =
                            (line.succeeded(), line.command(), line.number("vallen_max"), line.get("value"));
                    }
                    Err(why) => assert!(why.len() < 1000 && !why.contains('\n'), "seed {seed}: {why}"),
                }
            }
        }
        assert!(good > 10_000, "seed {seed}: {good} answers");
    }
}
