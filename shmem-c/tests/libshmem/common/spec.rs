//! The standard's routines, expanded from its tables in `spec/`: every name with its prototype in C.

use std::collections::BTreeMap;

/// One function of the standard.
pub struct Function {
    pub name: String,
    pub prototype: String,
}

fn rows(file: &str) -> Vec<Vec<String>> {
    let path = super::here().join("spec").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// All functions of OpenSHMEM 1.6.
pub fn functions() -> Vec<Function> {
    let tables: BTreeMap<String, Vec<String>> = rows("openshmem-tables.tsv")
        .into_iter()
        .map(|row| (row[0].clone(), row[3].split(',').map(str::to_owned).collect()))
        .collect();
    let types: BTreeMap<String, String> =
        rows("openshmem-types.tsv").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let mut functions = Vec::new();
    for row in rows("openshmem-api.tsv") {
        let (name, signature, table) = (&row[1], &row[2], &row[3]);
        let mut add = |name: String, prototype: String| functions.push(Function { name, prototype });
        match table.as_str() {
            "-" => add(name.clone(), signature.clone()),
            "sizes" => {
                for size in &tables["sizes"] {
                    add(name.replace("SIZE", size), signature.replace("SIZE", size));
                }
            }
            table => {
                for t in &tables[table] {
                    // TYPENAME first: it begins with TYPE.
                    let expand = |text: &str| text.replace("TYPENAME", t).replace("TYPE", &types[t]);
                    add(expand(name), expand(signature));
                }
            }
        }
    }
    functions
}
