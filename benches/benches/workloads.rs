//! The eight workloads under Criterion: a group per workload, all contenders in it.

use benches::contender::Contender;
use benches::field::{Runner, Visit};
use benches::stage::Stage;
use benches::workload::Workload;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use std::time::Duration;

struct One<'g, 'c> {
    group: &'g mut BenchmarkGroup<'c, WallTime>,
    name: &'static str,
    workload: Workload,
}

impl Visit for One<'_, '_> {
    type Out = ();

    fn visit<C: Contender>(self, fresh: impl Fn() -> C) {
        let mut stage = None;
        self.group.bench_function(self.name, |b| {
            let stage = stage.get_or_insert_with(|| Stage::new(self.workload, fresh()));
            b.iter_custom(|pairs| {
                let (took, done) = stage.run(pairs);
                took.mul_f64(pairs as f64 / done as f64)
            });
        });
    }
}

fn workloads(criterion: &mut Criterion) {
    for workload in Workload::ALL {
        let mut group = criterion.benchmark_group(workload.name());
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
        for runner in Runner::ALL {
            runner.with(One { group: &mut group, name: runner.name(), workload });
        }
        group.finish();
    }
}

criterion_group!(benches, workloads);
criterion_main!(benches);
