//! Names of people, places and companies, none of them real.

use super::random::Random;

const BEGINNINGS: &[&str] = &[
    "Al", "Bel", "Cor", "Dal", "El", "Far", "Gal", "Hol", "Is", "Jor", "Kal", "Lor", "Mar", "Nor",
    "Or", "Pel", "Quin", "Ros", "Sol", "Tar", "Ul", "Val", "Wes", "Yar", "Zan",
];
const MIDDLES: &[&str] =
    &["a", "an", "ar", "e", "en", "er", "i", "il", "in", "o", "on", "or", "u", "ur"];
const PLACE_ENDINGS: &[&str] = &[
    "bach", "berg", "bury", "dal", "den", "field", "ford", "gård", "haven", "holm", "mouth",
    "port", "stad", "ton", "vik", "ville",
];
const FAMILY_ENDINGS: &[&str] = &[
    "ák", "ano", "ard", "ek", "er", "escu", "ez", "ier", "ini", "man", "nen", "ova", "sen", "ski",
    "son", "wa",
];
const FIRST: &[&str] = &[
    "Ada", "Ahmed", "Aiko", "Amara", "Anna", "Arjun", "Beatriz", "Björn", "Carla", "Chen", "Chloé",
    "Daniel", "Diego", "Elif", "Emma", "Fatima", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan",
    "Jonas", "Julia", "Kofi", "Lars", "Leila", "Liam", "Lucía", "Maja", "Marco", "Mei", "Milan",
    "Nadia", "Noah", "Olga", "Omar", "Paula", "Priya", "Rafael", "Sara", "Tariq", "Thabo", "Vera",
    "Yuki", "Zoë",
];
const AIRLINE_ENDINGS: &[&str] = &["Air", "Air Lines", "Airways", "Aviation", "Express", "Wings"];

/// Countries, the ones with the most airlines, airports and passengers first.
pub(crate) const COUNTRIES: &[&str] = &[
    "United States",
    "China",
    "India",
    "Brazil",
    "Germany",
    "United Kingdom",
    "France",
    "Japan",
    "Spain",
    "Italy",
    "Turkey",
    "Canada",
    "Mexico",
    "Indonesia",
    "Australia",
    "Netherlands",
    "Poland",
    "Thailand",
    "South Korea",
    "South Africa",
    "Sweden",
    "Egypt",
    "Kenya",
    "Portugal",
    "Greece",
    "Norway",
    "Vietnam",
    "Argentina",
    "Nigeria",
    "Switzerland",
    "Austria",
    "Chile",
    "Denmark",
    "Finland",
    "Ireland",
    "Morocco",
    "New Zealand",
    "Peru",
    "Czechia",
    "Iceland",
];
pub(crate) const AIRCRAFT: &[&str] =
    &["A220-300", "A320neo", "A321neo", "A330-900", "A350-900", "B737-8", "B787-9", "E195-E2"];

/// One of a list that is not empty.
pub(crate) fn one(random: &mut Random, list: &[&'static str]) -> &'static str {
    random.pick(list).unwrap_or_default()
}

pub(crate) fn country(random: &mut Random) -> &'static str {
    let index = usize::try_from(random.skewed_below(COUNTRIES.len() as u64)).unwrap_or_default();
    COUNTRIES.get(index).copied().unwrap_or_default()
}

pub(crate) fn city(random: &mut Random) -> String {
    compose(random, PLACE_ENDINGS)
}

pub(crate) fn first(random: &mut Random) -> &'static str {
    one(random, FIRST)
}

pub(crate) fn family(random: &mut Random) -> String {
    compose(random, FAMILY_ENDINGS)
}

pub(crate) fn airline(random: &mut Random) -> String {
    let place = city(random);
    format!("{place} {}", one(random, AIRLINE_ENDINGS))
}

/// The code number `index` of so many letters; two numbers below 26^letters never share one.
pub(crate) fn code(index: u64, offset: u64, letters: u32) -> String {
    let codes = 26_u64.pow(letters);
    // 345 = 3 * 5 * 23 has no divisor in common with 26, so that this permutes the codes.
    let mut rest = (index % codes * 345 + offset % codes) % codes;
    let mut code = String::with_capacity(3);
    for _ in 0..letters {
        let letter = u8::try_from(rest % 26).unwrap_or_default();
        code.push(char::from(b'A' + letter));
        rest /= 26;
    }
    code
}

fn compose(random: &mut Random, endings: &[&'static str]) -> String {
    let parts = [one(random, BEGINNINGS), one(random, MIDDLES), one(random, endings)];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_never_used_twice() {
        for (letters, count) in [(2, 676), (3, 17_576)] {
            let codes: HashSet<_> = (0..count).map(|index| code(index, 77, letters)).collect();
            assert_eq!(codes.len() as u64, count);
            assert!(codes.iter().all(|code| u32::try_from(code.len()) == Ok(letters)));
        }
    }
}
