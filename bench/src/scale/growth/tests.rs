use super::*;

const KIND: Kind = Kind {
    name: "cost",
    title: "cost by size",
    unit: "ns",
    better: Better::Lower,
    work: Work::Same,
    size: "things",
    sizes_scale: Scale::Logarithmic,
    scale: Scale::Linear,
};

/// Ten rounds of a cost, each off by up to so much of it.
fn grown(work: Work, sizes: &[f64], cost: impl Fn(f64) -> f64, noise: f64) -> Growth {
    let mut growth = Growth::new(Kind { work, ..KIND }, &["ours"], sizes);
    for round in 0..10 {
        for (place, size) in sizes.iter().enumerate() {
            // Neither rounds nor places are off in the same way.
            let off = f64::from((round * 7 + i32::try_from(place).unwrap() * 3) % 10) / 4.5 - 1.0;
            growth.note(0, place, cost(*size) * (1.0 + noise * off));
        }
    }
    growth
}

const SIZES: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];

#[test]
fn what_grows_with_its_square_is_told_and_what_is_linear_is_not() {
    let square = grown(Work::Same, &SIZES, |size| size * size, 0.1).warnings();
    assert_eq!(square.len(), 1);
    assert!(square[0].starts_with("cost (cost by size), ours: steeper than linear from "), "{square:?}");
    for flat in
        [|_| 20.0, |size: f64| 3.0 * size, |size: f64| 15.0 + size.log2(), |size: f64| 15.0 + size / 2.0]
    {
        assert_eq!(grown(Work::Same, &SIZES, flat, 0.1).warnings(), Vec::<String>::new());
    }
}

#[test]
fn a_cliff_behind_a_plain_is_told_with_its_place() {
    let warnings = grown(Work::Same, &SIZES, |size| if size > 256.0 { 900.0 } else { 20.0 }, 0.1).warnings();
    assert!(warnings[0].contains("from 256 to 1024 things"), "{warnings:?}");
}

#[test]
fn the_cost_of_each_must_not_grow_at_all() {
    assert!(grown(Work::Each, &SIZES, |_| 20.0, 0.05).warnings().is_empty());
    let warnings = grown(Work::Each, &SIZES, f64::sqrt, 0.05).warnings();
    assert!(warnings[0].contains("the 1.5"), "{warnings:?}");
    assert!(grown(Work::None, &SIZES, |size| size * size, 0.05).warnings().is_empty());
}

#[test]
fn noise_that_is_as_large_as_the_growth_is_not_growth() {
    let noisy = grown(Work::Each, &[1.0, 2.0], |_| 20.0, 0.6);
    assert!(noisy.warnings().is_empty());
    // Too few rounds say nothing, however steep.
    let mut short = Growth::new(KIND, &["ours"], &[1.0, 2.0]);
    (0..6)
        .for_each(|_| [(0, 1.0), (1, 9.0)].into_iter().for_each(|(place, cost)| short.note(0, place, cost)));
    assert!(short.warnings().is_empty());
}

#[test]
fn what_is_zero_or_below_is_no_growth() {
    assert!(grown(Work::Same, &[0.0, 1.0, 2.0], |size| size, 0.0).warnings().is_empty());
    assert!(grown(Work::Same, &[1.0, 2.0], |size| 1.5 - size, 0.0).warnings().is_empty());
    assert!(grown(Work::Same, &[], |size| size, 0.0).warnings().is_empty());
}

#[test]
fn the_sign_test_is_the_binomial_distributions_tail() {
    assert!((probability(0, 10) - 1.0).abs() < 1e-12);
    assert!((probability(9, 10) - 11.0 / 1024.0).abs() < 1e-12);
    assert!((probability(10, 10) - 1.0 / 1024.0).abs() < 1e-12);
    assert!((probability(11, 10)).abs() < 1e-12);
}

#[test]
fn a_size_without_a_figure_is_an_error() {
    assert!(Growth::new(KIND, &["ours"], &[1.0]).figure().is_err());
}
