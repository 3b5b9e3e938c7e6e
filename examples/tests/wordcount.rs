//! The word count equals the shell's, byte for byte.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use shmem_api::testing::{Boot, Launch, Random, mix};

const PIPELINE: &str = r"LC_ALL=C tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2,2 | awk '{print $1, $2}'";

fn example(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let target = me.parent().and_then(Path::parent).unwrap();
    target.join("examples").join(name)
}

fn by_the_shell(files: &[PathBuf]) -> String {
    let script = format!("cat \"$@\" | {PIPELINE}");
    let out = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg("sh")
        .args(files)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap()
}

fn wordcount(files: &[PathBuf], n: u32, boot: Boot) -> Launch {
    files.iter().fold(Launch::of_program(&example("wordcount"), n, boot), Launch::arg)
}

struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Files {
        let dir = std::env::temp_dir().join(format!("wordcount-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Files(dir)
    }
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Text with a natural spread of word frequencies: word k of a made-up vocabulary about 1/k of the time.
fn text(bytes: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut out = String::with_capacity(bytes + 64);
    while out.len() < bytes {
        let rank = (50_000f64.powf(random.next() as f64 / u64::MAX as f64)) as u64;
        let mut letters = mix(rank, 0);
        for i in 0..1 + rank % 13 {
            let c = (b'a' + (letters % 26) as u8) as char;
            out.push(if i == 0 && random.below(8) == 0 { c.to_ascii_uppercase() } else { c });
            letters /= 26;
        }
        let separator = random.of(&[" ", " ", " ", ", ", ".\n", "-", "'", " 42 "]);
        let _ = write!(out, "{separator}");
    }
    out
}

#[test]
fn ten_megabytes_on_1_2_4_and_8_pes() {
    let dir = Files::new("large");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = [
        dir.write("a", text(6 << 20, 1)),
        root.join("LICENSE-APACHE"),
        dir.write("empty", ""),
        dir.write("b", text(5 << 20, 2)),
        root.join("Cargo.toml"),
    ];
    let expected = by_the_shell(&files);
    assert!(expected.lines().count() > 1000);
    for (n, boot) in Boot::of_each("wordcount", &[1, 2, 4, 8]) {
        let outcome = wordcount(&files, n, boot).run();
        outcome.expect_success("wordcount");
        assert!(outcome.stdout == expected, "{n} PEs by {boot:?} differ from the shell");
    }
}

#[test]
fn odd_texts() {
    let dir = Files::new("odd");
    let cases: Vec<Vec<Vec<u8>>> = vec![
        vec![b"".to_vec()],
        vec![b"a".to_vec()],
        vec![b"no newline at the end".to_vec(), b"joined to this".to_vec()],
        vec![b"1234 5678 ... \n\n".to_vec()],
        vec![b"x".repeat(3_000_000), b"y".repeat(1_000_000)],
        vec![(0..=255u8).cycle().take(10_000).collect()],
        vec![b"tie a b c B A C d D".to_vec()],
        (0..50).map(|i| vec![b'a' + (i % 3) as u8; 3]).collect(),
    ];
    for (i, parts) in cases.iter().enumerate() {
        let files: Vec<PathBuf> =
            parts.iter().enumerate().map(|(j, p)| dir.write(&format!("{i}-{j}"), p)).collect();
        let expected = by_the_shell(&files);
        for n in [1, 3, 7, 16] {
            let outcome = wordcount(&files, n, Boot::Local).run();
            outcome.expect_success("wordcount");
            assert_eq!(outcome.stdout, expected, "case {i} on {n} PEs");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let dir = Files::new("missing");
    for boot in Boot::of(3) {
        let files = [dir.write("there", "text"), dir.0.join("not-there")];
        let outcome = wordcount(&files, 3, boot).run();
        // MPICH's launcher writes to standard output, too, when a job ends badly: no count is there.
        let counts = outcome.stdout.lines().any(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        assert!(!outcome.status.success() && !counts, "{outcome}");
        assert!(outcome.stderr.contains("not-there: No such file"), "{outcome}");
        let outcome = wordcount(&[], 2, boot).run();
        assert!(
            !outcome.status.success() && outcome.stderr.contains("usage: wordcount FILE..."),
            "{outcome}"
        );
    }
}

#[test]
fn a_heap_that_is_too_small_is_a_clear_error() {
    let dir = Files::new("small");
    let files = [dir.write("many", text(4 << 20, 3))];
    let outcome = wordcount(&files, 2, Boot::Local).env("SHMEM_SYMMETRIC_SIZE", "64k").run();
    assert!(!outcome.status.success() && outcome.stdout.is_empty(), "{outcome}");
    assert!(outcome.stderr.contains("raise SHMEM_SYMMETRIC_SIZE (now 64 KiB)"), "{outcome}");
}

#[test]
fn the_other_examples_run_on_1_to_16_pes() {
    for (n, boot) in Boot::of_each("hello", &[1, 2, 5, 16]) {
        for name in ["hello", "ring"] {
            let outcome = Launch::of_program(&example(name), n, boot).run();
            outcome.expect_success(name);
            assert!(name != "hello" || outcome.stdout.lines().count() == n as usize, "{outcome}");
        }
    }
}
