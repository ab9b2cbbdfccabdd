//! What a terminal shows after what was written to it, as far as it goes: characters, and where they are put.

const COLUMNS: usize = 80;
const LINES: usize = 24;

/// The lines of the screen, without the spaces behind them.
pub fn picture(written: &str) -> String {
    let mut cells = vec![[' '; COLUMNS]; LINES];
    let (mut line, mut column) = (0, 0);
    let mut rest = written.chars();
    while let Some(character) = rest.next() {
        match character {
            '\x1b' => {
                // `ESC [`, parameters, and a letter.
                let sequence = sequence(&mut rest);
                let (parameters, action) = sequence.split_at(sequence.len().saturating_sub(1));
                match action {
                    "H" => (line, column) = position(parameters),
                    "J" => cells = vec![[' '; COLUMNS]; LINES],
                    _ => {}
                }
            }
            _ => {
                if let Some(cell) = cells.get_mut(line).and_then(|cells| cells.get_mut(column)) {
                    *cell = character;
                }
                column += 1;
            }
        }
    }
    let lines = cells.iter().map(|cells| cells.iter().collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Line and column, from zero.
fn position(parameters: &str) -> (usize, usize) {
    let mut numbers = parameters.split(';').map(|number| number.parse::<usize>().unwrap_or(1));
    let mut next = || numbers.next().unwrap_or(1).saturating_sub(1);
    (next(), next())
}

/// Parameters and letter of a control sequence, of which the first character was taken.
fn sequence(rest: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for character in rest.skip(1) {
        text.push(character);
        if character.is_ascii_alphabetic() {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_where_they_are_put() {
        let picture = picture("lost\x1b[2J\x1b[2;3Hone\x1b[1m two\x1b[1;1Hthree\x1b[?25l");
        assert_eq!(picture.lines().take(2).collect::<Vec<_>>(), ["three", "  one two"]);
    }
}
