//! The captures that ship with the project, and the public ones where they are: whole, and cut at every byte.

use std::path::{Path, PathBuf};

use crate::support::{read_from, try_read};

fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(captures(&path));
        } else if path.to_string_lossy().contains(".pcap") && path.extension().is_none_or(|e| e != "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn ours() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    let mut paths = captures(&root.join("derived"));
    assert!(!paths.is_empty(), "no captures in {}", root.display());
    paths.extend(captures(&root.join("lab")));
    paths
}

/// `"packets": n` of an oracle's `file` object, without a JSON reader.
fn oracle_packets(path: &Path) -> Option<usize> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let name = format!("{folder}__{}.json", path.file_name()?.to_str()?);
    let text = std::fs::read_to_string(path.parent()?.parent()?.join("oracle").join(name)).ok()?;
    let (_, after) = text.split_once("\"packets\":")?;
    after
        .trim_start()
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[test]
fn each_has_as_many_packets_as_tshark_says() {
    for path in ours() {
        let outcome = try_read(&std::fs::read(&path).unwrap()).unwrap();
        let is_cut = path.to_string_lossy().contains("-cut-");
        assert_eq!(Some(outcome.frames.len()), oracle_packets(&path), "{}", path.display());
        assert_eq!(outcome.defect_count(), u64::from(is_cut), "{}", path.display());
        assert!(outcome.numbers().into_iter().eq(1..=outcome.frames.len() as u64));
    }
}

#[test]
fn containers_hold_the_same_frames() {
    let ours = ours();
    let read_one = |name: &str| {
        let path = ours.iter().find(|p| p.to_string_lossy().contains(name)).unwrap();
        try_read(&std::fs::read(path).unwrap()).unwrap()
    };
    let micro = read_one("c01-pcap-le-us");
    for name in ["c03-", "c10-", "c12-", "c15-", "c23-", "c31-"] {
        assert_eq!(read_one(name).data(), micro.data(), "{name}");
    }
    assert_eq!(read_one("c10-").times(), micro.times());
    assert_eq!(read_one("c31-").times(), micro.times());
    let to_micro = |times: Vec<i64>| times.into_iter().map(|t| t / 1000 * 1000).collect::<Vec<_>>();
    assert_eq!(to_micro(read_one("c03-").times()), micro.times());
    assert_eq!(read_one("c12-").times(), read_one("c03-").times());
    let interfaces: std::collections::BTreeSet<_> = read_one("c25-").frames.iter().map(|f| f.interface).collect();
    assert!(interfaces.into_iter().eq(0..3));
}

#[test]
fn every_truncation_gives_the_first_frames() {
    for path in ours() {
        let bytes = std::fs::read(&path).unwrap();
        let whole = read_from(std::io::Cursor::new(bytes.clone())).unwrap();
        // Every byte of the small ones; the large one at a stride that meets every kind of place.
        let stride = if bytes.len() > 50_000 { 1009 } else { 1 };
        for len in (0..bytes.len()).step_by(stride) {
            let Ok(cut) = read_from(std::io::Cursor::new(bytes[..len].to_vec())) else {
                continue;
            };
            assert!(whole.frames.starts_with(&cut.frames), "{} cut at {len}", path.display());
            assert!(
                cut.defect_count() <= whole.defect_count() + 1,
                "{} cut at {len}",
                path.display()
            );
        }
    }
}

/// They may not be part of the project, so they are read where they lie; `HALFOPEN_PUBLIC_CAPTURES` names the folder.
#[test]
fn public_captures_are_read() {
    let Some(folder) = std::env::var_os("HALFOPEN_PUBLIC_CAPTURES") else {
        eprintln!("skipped: HALFOPEN_PUBLIC_CAPTURES is not set");
        return;
    };
    let paths = captures(Path::new(&folder));
    assert!(!paths.is_empty());
    for path in paths {
        let outcome = try_read(&std::fs::read(&path).unwrap()).unwrap();
        assert!(!outcome.frames.is_empty(), "{}", path.display());
    }
}
