//! The report as people read it: that what was published stands in it, in each language.

use crate::difference::{Checked, Difference};
use crate::plan::Plan;
use crate::tables;

/// What a page that needs nothing but itself does not have.
const FROM_ELSEWHERE: [&str; 4] = ["src=\"http", "url(http", "@import", "<link "];

/// Looks at one language's page.
pub fn check(plan: &Plan, language: &str, html: &str) -> Checked {
    let mut checked = Checked::default();
    let (ports, regions) = tables::rows(plan);
    for row in ports.iter().chain(&regions) {
        checked.that(html.contains(&row.label), || {
            Difference::new(format!("page {language}: {}", row.name), &row.label, "not in the page")
        });
    }
    checked.that(html.contains("<svg"), || {
        Difference::new(format!("page {language}: figures"), "drawn in it", "none")
    });
    checked.that(html.contains(&format!("lang=\"{language}\"")), || {
        Difference::new(format!("page {language}: its language"), language, "not told")
    });
    for other in FROM_ELSEWHERE {
        checked.that(!html.contains(other), || {
            Difference::new(format!("page {language}: nothing from other hosts"), "none", other)
        });
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{SMALL, plan};

    #[test]
    fn what_a_page_lacks_is_noticed() {
        let plan = plan(SMALL);
        let page = "<html lang=\"ja\"><svg></svg>23/TCP (telnet) 22/TCP アメリカ(US) 日本(JP)</html>";
        let wrong = |page: &str| check(&plan, "ja", page).differences.len();
        assert_eq!(wrong(page), 0);
        for (from, to) in [
            ("23/TCP (telnet)", "23/TCP"),
            ("(JP)", ""),
            ("<svg></svg>", ""),
            ("\"ja\"", "\"en\""),
            ("<svg>", "<svg><img src=\"https://example.org/x.png\">"),
        ] {
            assert_eq!(wrong(&page.replace(from, to)), 1, "{to}");
        }
    }
}
