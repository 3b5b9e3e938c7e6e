//! K-means: finds the centres of K clusters of the points of a file, each PE with its share of the points.
//!
//! ```text
//!   file ─► my points ─► nearest centre of each ─► sums and counts of all PEs ─► new centres ─► ... until still
//! ```
//!
//! `kmeans [FILE] [K]`; the file has a heading and then `x,y` lines (`examples/data/points.csv`). The check: no point
//! is nearer to another centre than to its own, each centre is the mean of its points, no cluster is empty, and a
//! plain sequential run of PE 0 over all points ends at the same centres.

use std::process::ExitCode;

use shmem_api::{Error, Sum, World};

use examples::{Share, arguments};

/// Clusters there can be at most.
const MOST: usize = 16;

fn main() -> ExitCode {
    shmem_api::run(kmeans)
}

type Point = [f64; 2];

/// Of each cluster: the sums of x and y, and how many points.
type Sums = [[f64; 3]; MOST];

fn kmeans(world: &World) -> Result<(), Error> {
    let (me, n) = (world.pe(), world.n_pes());
    let points_csv = concat!(env!("CARGO_MANIFEST_DIR"), "/data/points.csv");
    let (file, k) = arguments(points_csv.to_owned(), 5usize);
    assert!((1..=MOST).contains(&k), "K is 1 to {MOST}");
    let points = read(&file);
    assert!(points.len() >= k, "{file}: {} points are too few for {k} clusters", points.len());
    let mine = &points[Share::of(points.len(), me, n).range()];

    let mut total = world.alloc::<f64>(3 * MOST)?;
    let (centres, rounds) = settle(first_centres(&points, k), |centres| {
        total.copy_from_slice(sums(mine, centres).as_flattened());
        world.reduce_in_place(Sum, &mut total);
        let (sums, _) = total.as_chunks();
        std::array::from_fn(|cluster| sums[cluster])
    });

    let total = sums(&points, &centres);
    for (centre, [x, y, count]) in centres.iter().zip(total) {
        assert!(count > 0.0, "no point is near {centre:?}");
        assert!(
            distance(centre, &[x / count, y / count]) < 1e-18,
            "{centre:?} is not the mean of its points"
        );
    }
    if me == 0 {
        let (alone, _) = settle(first_centres(&points, k), |centres| sums(&points, centres));
        let off = centres.iter().zip(&alone).map(|(a, b)| distance(a, b)).fold(0.0, f64::max);
        assert!(off < 1e-18, "a sequential run ends elsewhere: {centres:?} {alone:?}");
        eprintln!("kmeans: {} points, {n} PEs, {k} clusters after {rounds} rounds:", points.len());
        for ([x, y], [.., count]) in centres.iter().zip(total) {
            eprintln!("  {count:4} points around ({x:.3}, {y:.3})");
        }
    }
    Ok(())
}

/// Moves the centres to the means of their points until none moves any more. `sums_of` sums over all points.
fn settle(mut centres: Vec<Point>, mut sums_of: impl FnMut(&[Point]) -> Sums) -> (Vec<Point>, usize) {
    for round in 1.. {
        let total = sums_of(&centres);
        let means = total.iter().zip(&centres).map(|([x, y, count], centre)| match *count {
            0.0 => *centre,
            count => [x / count, y / count],
        });
        let moved: Vec<Point> = means.collect();
        if moved.iter().zip(&centres).all(|(a, b)| distance(a, b) < 1e-24) || round == 1000 {
            return (moved, round);
        }
        centres = moved;
    }
    unreachable!("the rounds end")
}

/// Of these points: what each centre's come to.
fn sums(points: &[Point], centres: &[Point]) -> Sums {
    let mut sums = [[0.0; 3]; MOST];
    for point in points {
        let to = |c: &usize| distance(point, &centres[*c]);
        let nearest = (0..centres.len()).min_by(|a, b| to(a).total_cmp(&to(b))).unwrap_or(0);
        let sum = &mut sums[nearest];
        *sum = [sum[0] + point[0], sum[1] + point[1], sum[2] + 1.0];
    }
    sums
}

/// The first point, and then always the point that is furthest from the centres so far.
fn first_centres(points: &[Point], k: usize) -> Vec<Point> {
    let mut centres = vec![points[0]];
    while centres.len() < k {
        let near = |p: &Point| centres.iter().map(|c| distance(p, c)).fold(f64::INFINITY, f64::min);
        let furthest = points.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
        centres.push(*furthest.unwrap_or(&points[0]));
    }
    centres
}

/// The square of the distance.
fn distance(a: &Point, b: &Point) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

fn read(file: &str) -> Vec<Point> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let point = |(line, text): (usize, &str)| {
        let numbers =
            text.split_once(',').and_then(|(x, y)| Some([x.trim().parse().ok()?, y.trim().parse().ok()?]));
        numbers.unwrap_or_else(|| panic!("{file}, line {}: not two numbers: {text:?}", line + 1))
    };
    text.lines().enumerate().skip(1).filter(|(_, text)| !text.is_empty()).map(point).collect()
}
