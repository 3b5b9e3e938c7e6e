//! Circles among the imports of a crate: Tarjan's strongly connected components, and the shortest circle in each.

use std::collections::VecDeque;

use crate::imports::Import;

/// One circle for each set of files that all reach each other: its imports, in order.
pub fn circles(files: usize, imports: &[Import]) -> Vec<Vec<Import>> {
    let mut tarjan = Tarjan::new(files, imports);
    for file in 0..files {
        if tarjan.found[file].is_none() {
            tarjan.visit(file);
        }
    }
    tarjan.components.iter().filter(|files| files.len() > 1).map(|files| circle(files, imports)).collect()
}

struct Tarjan {
    to: Vec<Vec<usize>>,
    /// When a file was found, and the earliest one that it reaches by the files on the stack.
    found: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    count: usize,
    components: Vec<Vec<usize>>,
}

impl Tarjan {
    fn new(files: usize, imports: &[Import]) -> Tarjan {
        let mut to = vec![Vec::new(); files];
        imports.iter().for_each(|import| to[import.from].push(import.to));
        let (found, low) = (vec![None; files], vec![0; files]);
        Tarjan { to, found, low, stack: Vec::new(), count: 0, components: Vec::new() }
    }

    fn visit(&mut self, file: usize) {
        (self.found[file], self.low[file]) = (Some(self.count), self.count);
        self.count += 1;
        self.stack.push(file);
        for to in self.to[file].clone() {
            match self.found[to] {
                None => {
                    self.visit(to);
                    self.low[file] = self.low[file].min(self.low[to]);
                }
                Some(found) if self.stack.contains(&to) => self.low[file] = self.low[file].min(found),
                Some(_) => {}
            }
        }
        if self.found[file] == Some(self.low[file]) {
            let first = self.stack.iter().position(|&other| other == file).unwrap();
            self.components.push(self.stack.split_off(first));
        }
    }
}

/// The shortest way from a file of the component back to it.
fn circle(component: &[usize], imports: &[Import]) -> Vec<Import> {
    let back = |start: usize| {
        let mut ways = VecDeque::from([Vec::new()]);
        let mut seen = Vec::new();
        while let Some(way) = ways.pop_front() {
            let at = way.last().map_or(start, |import: &&Import| import.to);
            if at == start && !way.is_empty() {
                return way;
            }
            for import in imports.iter().filter(|i| i.from == at && component.contains(&i.to)) {
                if !seen.contains(&import.to) {
                    seen.push(import.to);
                    ways.push_back([way.as_slice(), &[import]].concat());
                }
            }
        }
        unreachable!("every file of a component reaches itself")
    };
    let shortest = component.iter().map(|&start| back(start)).min_by_key(Vec::len);
    shortest.unwrap_or_default().into_iter().cloned().collect()
}
