//! A scenario file to cases: what goes in, and what must come out.

use std::fs;
use std::path::{Path, PathBuf};

use halfopen_track::Limits;
use halfopen_wire::{EncapTable, Packet};
use toml::{Table, Value};

use crate::notation::Reader;

/// One case.
pub struct Case {
    /// `file.toml: name`.
    pub name: String,
    /// In capture order.
    pub packets: Vec<Packet>,
    /// What the packets' encapsulations mean.
    pub encaps: EncapTable,
    /// Of the tracker.
    pub limits: Limits,
    /// Expected records, in the order of their first packets.
    pub handshakes: Vec<Table>,
    /// Expected counts beside them.
    pub stats: Table,
}

/// The folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Every case of every file, or the first that cannot be understood.
pub fn load_all() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder is beside the test")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files.iter().flat_map(|path| load(path)).collect()
}

fn load(path: &Path) -> Vec<Case> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut table: Table = text.parse().unwrap_or_else(|e| panic!("{file}: {e}"));
    let hosts = table.remove("hosts");
    let Some(Value::Array(cases)) = table.remove("case") else {
        panic!("{file}: no [[case]]")
    };
    assert!(table.is_empty(), "{file}: unknown key {:?}", table.keys().next());
    cases
        .into_iter()
        .map(|case| read(case, hosts.as_ref()).unwrap_or_else(|why| panic!("{file}: {why}")))
        .map(|case| Case {
            name: format!("{file}: {}", case.name),
            ..case
        })
        .collect()
}

fn read(case: Value, hosts: Option<&Value>) -> Result<Case, String> {
    let Value::Table(mut case) = case else {
        return Err("a case is a table".into());
    };
    let name = text(&mut case, "name")?;
    let inner = || -> Result<Case, String> {
        text(&mut case, "why")?;
        let mut reader = Reader::default();
        for (host, endpoint) in hosts.and_then(Value::as_table).into_iter().flatten() {
            reader.host(host, endpoint.as_str().ok_or("an endpoint is a string")?)?;
        }
        let packets = reader.packets(&text(&mut case, "packets")?)?;
        let max_flows = match case.remove("max_flows") {
            Some(n) => n
                .as_integer()
                .and_then(|n| usize::try_from(n).ok())
                .ok_or("max_flows")?,
            None => 1000,
        };
        let handshakes = match case.remove("handshake") {
            Some(Value::Array(list)) => list
                .into_iter()
                .map(|h| h.as_table().cloned().ok_or("a handshake is a table"))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err("handshakes are [[case.handshake]]".into()),
            None => Vec::new(),
        };
        let stats = match case.remove("stats") {
            Some(stats) => stats.as_table().cloned().ok_or("stats is a table")?,
            None => Table::new(),
        };
        match case.keys().next() {
            Some(key) => Err(format!("unknown key «{key}»")),
            None => Ok(Case {
                name: name.clone(),
                packets,
                encaps: reader.encaps,
                limits: Limits { max_flows },
                handshakes,
                stats,
            }),
        }
    };
    let mut inner = inner;
    inner().map_err(|why| format!("{name}: {why}"))
}

fn text(table: &mut Table, key: &str) -> Result<String, String> {
    match table.remove(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        _ => Err(format!("no «{key}»")),
    }
}
