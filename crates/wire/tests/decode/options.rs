//! The options of a SYN.

use halfopen_wire::{Defect, FastOpenOption, SynOptions};

use crate::support::*;

/// The options of a SYN with this list, and the defects.
fn options(list: &[u8]) -> (SynOptions, Vec<Defect>) {
    let decoded = decode(RAW, &ipv4(TCP, &syn_with(list)));
    (decoded.segment().syn.unwrap(), decoded.defects)
}

/// As [`options`], without defects.
#[track_caller]
fn whole(list: &[u8]) -> SynOptions {
    let (options, defects) = options(list);
    assert_eq!(defects, []);
    assert!(!options.incomplete);
    options
}

/// As [`options`], damaged.
#[track_caller]
fn damaged(list: &[u8]) -> SynOptions {
    let (options, defects) = options(list);
    assert_eq!(defects, [Defect::OptionsMalformed], "{list:?}");
    assert!(options.incomplete);
    SynOptions {
        incomplete: false,
        ..options
    }
}

#[rustfmt::skip]
const LINUX: [u8; 20] = [
    2, 4, 0x05, 0xb4,              // MSS 1460
    4, 2,                          // SACK permitted
    8, 10, 0, 0, 0, 1, 0, 0, 0, 2, // timestamps 1, 2
    1,                             // no operation
    3, 3, 7,                       // window scale 7
];

#[rustfmt::skip]
const WINDOWS: [u8; 12] = [
    2, 4, 0x05, 0xb4, // MSS 1460
    1,                // no operation
    3, 3, 8,          // window scale 8
    1, 1,             // no operation, twice
    4, 2,             // SACK permitted
];

#[rustfmt::skip]
const DARWIN: [u8; 24] = [
    2, 4, 0x05, 0xb4,              // MSS 1460
    1,                             // no operation
    3, 3, 6,                       // window scale 6
    1, 1,                          // no operation, twice
    8, 10, 0, 0, 0, 1, 0, 0, 0, 0, // timestamps 1, 0
    4, 2,                          // SACK permitted
    0, 0,                          // end of list
];

#[test]
fn what_the_common_systems_send() {
    let common = SynOptions {
        mss: Some(1460),
        sack_permitted: true,
        ..SynOptions::default()
    };
    let (scale, times) = (Some(7), Some((1, 2)));
    assert_eq!(
        whole(&LINUX),
        SynOptions {
            window_scale: scale,
            timestamps: times,
            ..common
        }
    );
    assert_eq!(
        whole(&WINDOWS),
        SynOptions {
            window_scale: Some(8),
            ..common
        }
    );
    assert_eq!(
        whole(&DARWIN),
        SynOptions {
            window_scale: Some(6),
            timestamps: Some((1, 0)),
            ..common
        }
    );
    assert_eq!(whole(&[]), SynOptions::default());
}

/// The order of Linux has a path of its own in the decoder. Both must say the same.
#[test]
fn the_short_path_and_the_long_one_agree() {
    let mut list = [1; 24];
    list[4..].copy_from_slice(&LINUX);
    assert_eq!(whole(&list), whole(&LINUX));
}

#[test]
fn one_option_each() {
    let none = SynOptions::default();
    assert_eq!(whole(&[2, 4, 0, 0]).mss, Some(0));
    assert_eq!(whole(&[3, 3, 255]).window_scale, Some(255));
    assert_eq!(
        whole(&[30, 12, 0x01, 0x81, 1, 2, 3, 4, 5, 6, 7, 8]),
        SynOptions { mptcp: true, ..none }
    );
    assert_eq!(whole(&[30, 4, 0x11, 0x05]), SynOptions { mptcp: true, ..none });
    assert_eq!(whole(&[30, 4, 0x21, 0x05]), SynOptions { unknown: 1, ..none }); // a subtype that is for data
    assert_eq!(
        whole(&[&[19, 18][..], &[9; 16]].concat()),
        SynOptions { md5: true, ..none }
    );
    assert_eq!(whole(&[29, 4, 1, 2]), SynOptions { ao: true, ..none });
    assert_eq!(
        whole(&[28, 4, 0x12, 0x34, 172, 2, 5, 2]),
        SynOptions { unknown: 3, ..none }
    );
    assert_eq!(whole(&[253, 4, 0x12, 0x34, 254, 2]), SynOptions { unknown: 2, ..none });
}

#[test]
fn fast_open_of_both_kinds() {
    for head in [&[34][..], &[254], &[253]] {
        let magic: &[u8] = if head == [34] { &[] } else { &[0xf9, 0x89] };
        let option = |cookie: usize| [head, &[2 + magic.len() as u8 + cookie as u8], magic, &vec![7; cookie]].concat();
        assert_eq!(whole(&option(0)).fast_open, FastOpenOption::Request);
        for cookie in 1..=17 {
            if (4..=16).contains(&cookie) && cookie % 2 == 0 {
                assert_eq!(whole(&option(cookie)).fast_open, FastOpenOption::Cookie(cookie as u8));
            } else {
                assert_eq!(damaged(&option(cookie)), SynOptions::default());
            }
        }
    }
}

#[test]
fn a_wrong_length_is_stepped_over() {
    let scale = SynOptions {
        window_scale: Some(7),
        ..SynOptions::default()
    };
    for list in [
        &[2, 5, 0, 5, 180, 3, 3, 7][..], // MSS of three bytes
        &[2, 3, 5, 3, 3, 7],
        &[2, 2, 3, 3, 7],
        &[4, 3, 0, 3, 3, 7],
        &[8, 6, 0, 0, 0, 1, 3, 3, 7],
        &[19, 4, 0, 0, 3, 3, 7],
        &[29, 3, 0, 3, 3, 7],
        &[30, 2, 3, 3, 7],
        &[3, 4, 9, 9, 3, 3, 7],
    ] {
        assert_eq!(damaged(list), scale);
    }
}

#[test]
fn a_length_that_leads_nowhere_ends_the_list() {
    let mss = SynOptions {
        mss: Some(1460),
        ..SynOptions::default()
    };
    for tail in [[3, 0, 7, 1], [3, 1, 7, 1], [8, 10, 0, 0], [99, 255, 0, 0], [1, 1, 1, 4]] {
        assert_eq!(damaged(&[&[2, 4, 5, 180][..], &tail].concat()), mss);
    }
}

#[test]
fn nothing_behind_the_end_of_list_counts() {
    assert_eq!(whole(&[2, 4, 5, 180, 0, 3, 3, 7]).window_scale, None);
    assert_eq!(whole(&[0, 8, 0, 0, 99, 0, 0, 0]), SynOptions::default());
}

#[test]
fn the_last_of_equals_counts() {
    assert_eq!(whole(&[2, 4, 0, 1, 2, 4, 5, 180]).mss, Some(1460));
}

#[test]
fn the_most_unknown_options_that_fit() {
    assert_eq!(whole(&[99, 2].repeat(20)).unknown, 20);
}

#[test]
fn a_cut_list_keeps_what_it_has() {
    let packet = ipv4(TCP, &syn_with(&WINDOWS));
    let wire = packet.len();
    let cut = |captured: usize| {
        let decoded = decode_with(
            halfopen_wire::decode::Options::default(),
            RAW,
            &packet[..40 + captured],
            wire,
        );
        (decoded.segment().syn.unwrap(), decoded.defects)
    };
    for captured in 0..12 {
        let (options, defects) = cut(captured);
        assert_eq!(defects, [Defect::OptionsTruncated]);
        assert!(options.incomplete && !options.window_cut);
        assert_eq!(options.mss, (captured >= 4).then_some(1460));
        assert_eq!(options.window_scale, (captured >= 8).then_some(8));
    }
    assert_eq!(cut(12), (whole(&WINDOWS), vec![]));
}

#[test]
fn a_cut_behind_the_end_of_list_takes_nothing() {
    let packet = ipv4(TCP, &syn_with(&DARWIN));
    let decoded = decode_with(
        halfopen_wire::decode::Options::default(),
        RAW,
        &packet[..63],
        packet.len(),
    );
    assert_eq!(decoded.is_segment(&[]).syn, Some(whole(&DARWIN)));
}
