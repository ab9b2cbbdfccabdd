//! Numbers and columns for people.

pub use sensor_user::table::grouped;

/// `text` in so many columns, cut where it is longer.
pub fn left(text: &str, width: usize) -> String {
    format!("{:<width$}", text.chars().take(width).collect::<String>())
}

/// Columns side by side, line by line.
pub fn side_by_side(columns: &[Vec<String>], width: usize, gap: &str) -> Vec<String> {
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |column: &Vec<String>, line: usize| left(column.get(line).map_or("", String::as_str), width);
    (0..height)
        .map(|line| {
            columns
                .iter()
                .map(|column| cell(column, line))
                .collect::<Vec<_>>()
                .join(gap)
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_their_width_and_lines_have_no_trailing_space() {
        let columns = [vec!["a".into(), "long word".into()], vec!["b".into()]];
        assert_eq!(side_by_side(&columns, 4, " | "), ["a    | b", "long |"]);
    }
}
