//! The lines, for people or for programs.

use std::io;

use super::line::{Line, Status};

/// Writes an array of JSON objects.
///
/// # Errors
/// Where writing fails.
pub fn json(lines: &[Line], mut output: impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut output, lines)?;
    writeln!(output)
}

/// Writes a line each, and the remedy below it, where a command can be copied from it whole.
///
/// # Errors
/// Where writing fails.
pub fn text(lines: &[Line], colour: bool, mut output: impl io::Write) -> io::Result<()> {
    let width = lines.iter().map(|line| line.subject().chars().count()).max().unwrap_or(0);
    for line in lines {
        let status = coloured(line.status, colour);
        writeln!(output, "{status}  {:width$}  {}", line.subject(), line.found)?;
        if let Some(remedy) = &line.remedy {
            writeln!(output, "{:8}{:width$}  {remedy}", "", "")?;
        }
    }
    let number = |status| lines.iter().filter(|line| line.status == status).count();
    let (failures, warnings) = (number(Status::Fail), number(Status::Warn));
    let verdict =
        if failures == 0 { "this host can run the sensor" } else { "this host cannot run the sensor yet" };
    writeln!(output, "{verdict}: {failures} failed, {warnings} warned, {} passed", number(Status::Pass))
}

fn coloured(status: Status, colour: bool) -> String {
    let code = match status {
        Status::Pass => 32,
        Status::Warn => 33,
        Status::Fail => 31,
    };
    let name = status.name();
    if colour { format!("\x1b[{code}m{name}\x1b[0m") } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        vec![
            Line::pass("kernel", "Linux 6.18.0"),
            Line::fail("native XDP", "not supported", "--mode generic").on("eth0"),
        ]
    }

    #[test]
    fn people_read_columns_with_the_remedy_below() {
        let mut output = Vec::new();
        text(&lines(), false, &mut output).unwrap();
        let expected = "\
pass  kernel            Linux 6.18.0
fail  eth0: native XDP  not supported
                          --mode generic
this host cannot run the sensor yet: 1 failed, 0 warned, 1 passed
";
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }

    #[test]
    fn colour_is_around_the_word_alone() {
        assert_eq!(coloured(Status::Warn, true), "\x1b[33mwarn\x1b[0m");
    }

    #[test]
    fn programs_read_an_array_with_every_field() {
        let mut output = Vec::new();
        json(&lines(), &mut output).unwrap();
        let expected = concat!(
            r#"[{"check":"kernel","interface":null,"status":"pass","found":"Linux 6.18.0","remedy":null},"#,
            r#"{"check":"native XDP","interface":"eth0","status":"fail","found":"not supported","#,
            r#""remedy":"--mode generic"}]"#,
            "\n"
        );
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }
}
