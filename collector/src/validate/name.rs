//! What a sensor may be called.

/// Characters of a name: as many as a certificate's common name has room for (RFC 5280, ub-common-name).
const LONGEST: usize = 64;

/// Why a sensor cannot have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a sensor without a name: give it one, with --sensor")]
    Empty,
    #[error(
        "a sensor's name of {0} characters, at most {LONGEST} are taken: give it a shorter one, with --sensor"
    )]
    Long(usize),
    #[error(
        "the sensor's name {0:?} has a character that is not taken (control characters, '/', or white \
         space at an end): give it another one, with --sensor"
    )]
    Character(String),
}

/// Whether a sensor may have this name: 1 to 64 printable characters without `/`.
///
/// # Errors
/// Where it may not.
pub fn check(name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    // Invisible and reversing characters make two names look the same.
    let is_refused = |character: char| {
        let is_space = character.is_whitespace() && character != ' ';
        wire::is_hidden(character) || character == '/' || is_space
    };
    if length == 0 {
        Err(NameError::Empty)
    } else if length > LONGEST {
        Err(NameError::Long(length))
    } else if name.contains(is_refused) || name.trim() != name {
        Err(NameError::Character(name.into()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_short() {
        for name in ["a", "tokyo-1.example.org", "東京 1", &"x".repeat(64)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", " a", "a\n", "a/b", "a\u{202e}b", "a\0", &"x".repeat(65)] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
