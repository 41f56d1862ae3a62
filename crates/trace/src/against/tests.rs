//! Comparisons of handshakes that were written down by hand: 10 ms between the points unless said otherwise.

use std::ops::ControlFlow;

use super::judge::{Compared, Fate, Why};
use super::seen::{Kind, Seen, Sent};
use super::testing::{handshake, marked, point, sent};
use super::{Comparison, Options, compare as compare_files};

const NEAR: [(Kind, i64); 3] = [(Kind::Syn, 1000), (Kind::SynAck, 1025), (Kind::Ack, 1026)];
const FAR: [(Kind, i64); 3] = [(Kind::Syn, 1010), (Kind::SynAck, 1015), (Kind::Ack, 1036)];

fn plain(packets: &[(Kind, i64)]) -> Vec<Sent> {
    packets.iter().map(|&(kind, at)| sent(kind, at)).collect()
}

/// A whole handshake beside the one in question, so that the place of the points and the clocks are known.
fn compare(near: Vec<Seen>, far: Vec<Seen>) -> Comparison {
    let other = |packets| handshake(9, 1_000, &plain(packets));
    let (mut a, mut b) = (vec![other(&NEAR)], vec![other(&FAR)]);
    a.extend(near);
    b.extend(far);
    Comparison::new(point(a), point(b))
}

fn fates(compared: &Compared) -> Vec<(Kind, Fate)> {
    compared.transmissions.iter().map(|t| (t.kind, t.fate)).collect()
}

fn the_other(comparison: &Comparison) -> Compared {
    let mut all: Vec<Compared> = comparison.handshakes().collect();
    assert_eq!(all.len(), 2);
    all.remove(1)
}

#[test]
fn a_whole_handshake_splits_into_its_parts() {
    let comparison = compare(vec![], vec![]);
    let found = comparison.handshakes().next().unwrap();
    assert_eq!(found.client_at_a, Some(true));
    let split = found.split;
    let ms = |ns: Option<i64>| ns.map(|ns| ns / 1_000_000);
    assert_eq!(ms(split.between_ns), Some(20));
    assert_eq!((ms(split.there_ns), ms(split.back_ns)), (Some(10), Some(10)));
    assert_eq!((ms(split.server_side_ns), ms(split.client_side_ns)), (Some(5), Some(1)));
    let clock = comparison.clock.unwrap();
    assert!(
        clock.offset_ns.abs() < 1_000 && clock.uncertainty_ns < 10_010_000,
        "{clock:?}"
    );
}

#[test]
fn marks_say_which_transmission_was_lost() {
    let near = [
        marked(Kind::Syn, 5000, 7),
        marked(Kind::Syn, 6000, 8),
        marked(Kind::Syn, 8000, 9),
    ];
    let far = [marked(Kind::Syn, 6010, 8)];
    let found = the_other(&compare(
        vec![handshake(10, 1_000, &near)],
        vec![handshake(10, 1_000, &far)],
    ));
    assert_eq!(
        fates(&found),
        [
            (Kind::Syn, Fate::Lost),
            (Kind::Syn, Fate::Passed),
            (Kind::Syn, Fate::Lost)
        ]
    );
    assert_eq!(found.unanswered_syns, 1);
}

#[test]
fn time_says_it_where_there_are_no_marks() {
    for (arrived, expected) in [
        (5013, [Fate::Passed, Fate::Lost, Fate::Lost]),
        (6008, [Fate::Lost, Fate::Passed, Fate::Lost]),
        (8011, [Fate::Lost, Fate::Lost, Fate::Passed]),
    ] {
        let near = plain(&[(Kind::Syn, 5000), (Kind::Syn, 6000), (Kind::Syn, 8000)]);
        let far = plain(&[(Kind::Syn, arrived)]);
        let found = the_other(&compare(
            vec![handshake(10, 1_000, &near)],
            vec![handshake(10, 1_000, &far)],
        ));
        let found: Vec<Fate> = found.transmissions.iter().map(|t| t.fate).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn other_marks_are_never_the_same_packet() {
    let found = the_other(&compare(
        vec![handshake(10, 1_000, &[marked(Kind::Syn, 5000, 7)])],
        vec![handshake(
            10,
            1_000,
            &[marked(Kind::Syn, 5010, 8), marked(Kind::Syn, 6010, 9)],
        )],
    ));
    assert_eq!(
        fates(&found),
        [
            (Kind::Syn, Fate::Lost),
            (Kind::Syn, Fate::NotCaptured),
            (Kind::Syn, Fate::NotCaptured)
        ]
    );
}

#[test]
fn marks_that_are_written_anew_on_the_way_do_not_count() {
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for port in 10..20 {
        let at = i64::from(port) * 1000;
        near.push(handshake(port, 1_000, &[marked(Kind::Syn, at, port)]));
        far.push(handshake(port, 1_000, &[marked(Kind::Syn, at + 10, 999 - port)]));
    }
    let totals = compare(near, far).totals();
    assert_eq!((totals.common, totals.with_loss), (11, 0));
}

#[test]
fn a_packet_from_before_the_other_capture_is_not_judged() {
    let near = vec![handshake(10, 1_000, &plain(&[(Kind::Syn, -2000), (Kind::Syn, 3000)]))];
    let far = vec![handshake(10, 1_000, &plain(&[(Kind::Syn, 3010)]))];
    let found = the_other(&compare(near, far));
    assert_eq!(fates(&found), [(Kind::Syn, Fate::NotJudged), (Kind::Syn, Fate::Passed)]);
}

#[test]
fn all_syns_lost_is_not_the_same_as_never_there() {
    let only = |at| vec![handshake(10, 1_000, &plain(&[(Kind::Syn, at), (Kind::Syn, at + 1000)]))];
    let lost = the_other(&compare(only(5000), vec![]));
    assert_eq!((lost.why, lost.lost()), (Some(Why::Lost), 2));
    let early = the_other(&compare(only(-5000), vec![]));
    assert_eq!((early.why, early.lost()), (Some(Why::BeforeOtherBegan), 0));
    let far = the_other(&compare(vec![], only(5000)));
    assert_eq!((far.why, far.lost()), (Some(Why::Missed), 0));
    let answered = plain(&[(Kind::Syn, 5000), (Kind::SynAck, 5025)]);
    let elsewhere = the_other(&compare(vec![handshake(10, 1_000, &answered)], vec![]));
    assert_eq!((elsewhere.why, elsewhere.lost()), (Some(Why::Missed), 0));
}

#[test]
fn an_rst_of_the_closing_is_no_part_of_the_handshake() {
    let closing = Sent {
        opening: false,
        ..sent(Kind::Rst, 1500)
    };
    let near = [plain(&NEAR), vec![closing]].concat();
    let found = Comparison::new(
        point(vec![handshake(10, 1_000, &near)]),
        point(vec![handshake(10, 1_000, &plain(&FAR))]),
    );
    assert_eq!(found.totals().lost(), 0);
}

#[test]
fn a_refusal_that_is_lost_on_the_way_back() {
    let refusal = Sent {
        from_low: false,
        ..sent(Kind::Rst, 5015)
    };
    let found = the_other(&compare(
        vec![handshake(10, 1_000, &plain(&[(Kind::Syn, 5000)]))],
        vec![handshake(10, 1_000, &[sent(Kind::Syn, 5010), refusal])],
    ));
    assert_eq!(fates(&found), [(Kind::Syn, Fate::Passed), (Kind::Rst, Fate::Lost)]);
    assert_eq!(found.unanswered_syns, 0);
}

#[test]
fn a_copy_that_one_capture_took_twice_is_not_lost() {
    let copy = Sent {
        copy: true,
        ..sent(Kind::Syn, 1000)
    };
    let near = [plain(&NEAR), vec![copy]].concat();
    let found = Comparison::new(
        point(vec![handshake(10, 1_000, &near)]),
        point(vec![handshake(10, 1_000, &plain(&FAR))]),
    );
    assert_eq!(found.totals().lost(), 0);
}

#[test]
fn a_syn_proxy_is_named_and_not_taken_for_loss() {
    let mut far = handshake(10, 1_000, &plain(&FAR));
    far.isn = far.isn.map(|isn| isn.map(|n| if n == 9_000 { 77 } else { n }));
    let totals = compare(vec![handshake(10, 1_000, &plain(&NEAR))], vec![far]).totals();
    assert_eq!((totals.rewritten, totals.with_loss), (1, 0));
}

#[test]
fn the_same_point_twice_gives_no_direction_and_no_loss() {
    let here = || point(vec![handshake(10, 1_000, &plain(&NEAR))]);
    let comparison = Comparison::new(here(), here());
    let totals = comparison.totals();
    assert_eq!((totals.common, totals.lost(), totals.client_at), (1, 0, [0, 0, 1]));
    assert_eq!(comparison.clock.unwrap_err().name(), "no_direction");
}

#[test]
fn thinning_keeps_the_same_handshakes_of_both() {
    let all = || (1..2000).map(|port| handshake(port, 1_000, &plain(&NEAR))).collect();
    let (mut a, b) = (point(all()), point(all()));
    a.thin(3);
    let kept = a.seen.len();
    assert!((150..350).contains(&kept), "{kept}");
    let totals = Comparison::new(a, b).totals();
    assert_eq!(totals.common, kept as u64);
    assert!(totals.single.is_empty());
}

#[test]
fn names_changed_on_the_way_are_recognised() {
    let near = vec![handshake(10, 1_000, &plain(&NEAR))];
    let mut translated = handshake(777, 1_000, &plain(&FAR));
    translated.number = 1;
    let found = Comparison::new(point(near.clone()), point(vec![translated])).lookalikes;
    assert_eq!(
        (found.translated, found.client_changed, found.server_changed),
        (1, 1, 0)
    );
    let stamp = |sent: &Sent| Sent {
        tsval: Some(5),
        ..*sent
    };
    let stamped = |seen: &Seen| Seen {
        packets: seen.packets.iter().map(stamp).collect(),
        ..seen.clone()
    };
    let mut other = handshake(10, 55_555, &plain(&FAR));
    other.isn[1] = Some(3);
    let found = Comparison::new(point(vec![stamped(&near[0])]), point(vec![stamped(&other)])).lookalikes;
    assert_eq!((found.translated, found.renumbered), (0, 1));
}

#[test]
fn more_handshakes_than_are_kept_are_thinned_alike() {
    let capture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/captures/lab/lossy_many.client.pcap"
    );
    let options = Options {
        max_handshakes: 60,
        ..Options::default()
    };
    let files = [capture.into()];
    let found = compare_files(&files, &files, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(found.a.handshakes, 400);
    assert!(found.a.level >= 3, "{}", found.a.level);
    assert!(
        (10..=60).contains(&found.matches.both.len()),
        "{}",
        found.matches.both.len()
    );
    assert!(found.matches.only_a.is_empty() && found.matches.only_b.is_empty());
    assert_eq!(found.totals().lost(), 0);
}
