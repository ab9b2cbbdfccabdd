//! A system's own count, found in what it says.

#[cfg(test)]
mod tests;

use anyhow::{Context as _, Result, bail};

use super::system::Count;

impl Count {
    /// The number in `text`.
    ///
    /// # Errors
    /// Where it is not there, or no number.
    pub fn find(&self, text: &str) -> Result<u64> {
        match self {
            Self { after: Some(after), less, .. } => {
                let less = less.as_ref().map_or(Ok(0), |less| number_after(less, text))?;
                let all = number_after(after, text)?;
                all.checked_sub(less)
                    .with_context(|| format!("{less} of {all} packets are too many to be lost"))
            }
            Self { before: Some(before), .. } => {
                let (start, _) = text.rsplit_once(before.as_str()).with_context(|| absent(before, text))?;
                let begin = start.rfind(|letter: char| !is_of_number(letter)).map_or(0, |place| place + 1);
                number(&start[begin..])
            }
            Self { column: Some(heading), .. } => sum_of_column(heading, text),
            Self { .. } => bail!("its configuration does not say how its count is found"),
        }
    }
}

fn number_after(words: &str, text: &str) -> Result<u64> {
    let (_, rest) = text.rsplit_once(words).with_context(|| absent(words, text))?;
    number(rest.trim_start())
}

/// Thousands may be apart.
fn is_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || letter == ','
}

fn number(text: &str) -> Result<u64> {
    let end = text.find(|letter| !is_of_number(letter)).unwrap_or(text.len());
    let digits: String = text[..end].chars().filter(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("{:?} is no number", first_words(text)))
}

/// Of a table whose columns are separated by commas or by blanks.
fn sum_of_column(heading: &str, text: &str) -> Result<u64> {
    let cells = |line: &str| -> Vec<String> {
        let cut: Vec<&str> =
            if line.contains(',') { line.split(',').collect() } else { line.split_whitespace().collect() };
        cut.into_iter().map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines().skip_while(|line| !cells(line).iter().any(|cell| cell == heading));
    let headings = lines.next().with_context(|| absent(heading, text))?;
    let place = cells(headings).iter().position(|cell| cell == heading).unwrap_or(0);
    lines.filter(|line| !line.trim().is_empty()).try_fold(0, |sum, line| {
        let cells = cells(line);
        let cell = cells.get(place).with_context(|| format!("{line:?} has no column {heading}"))?;
        Ok(sum + cell.parse::<u64>().with_context(|| format!("{cell:?} under {heading} is no number"))?)
    })
}

fn absent(what: &str, text: &str) -> String {
    format!("{what:?} is not in what it says: {:?}", first_words(text))
}

/// Enough of it for an error.
fn first_words(text: &str) -> String {
    text.chars().take(200).collect()
}
