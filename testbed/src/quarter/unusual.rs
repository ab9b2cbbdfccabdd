//! What `detect` has to find by itself, against what the description says is unusual.

use serde_json::{Value, json};

use crate::description::{Description, Unusual};
use crate::difference::{Checked, Difference};

/// Looks for each of them among the findings.
pub fn check(description: &Description, detected: &Value) -> Checked {
    let mut checked = Checked::default();
    let findings = detected["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    checked.that(!findings.is_empty(), || Difference::new("findings", "some", "none"));
    for unusual in &description.unusual {
        let Unusual { what, has, at_least, at_most } = unusual.get_ref();
        let number = |finding: &Value, key: &str| finding.get(key).and_then(Value::as_f64);
        let is_it = |finding: &&Value| {
            has.iter().all(|(key, value)| finding.get(key) == Some(value))
                && at_least
                    .iter()
                    .all(|(key, least)| number(finding, key).is_some_and(|found| found >= *least))
                && at_most.iter().all(|(key, most)| number(finding, key).is_some_and(|found| found <= *most))
        };
        checked.that(findings.iter().any(|finding| is_it(&finding)), || {
            // The one that has the most of what it has to have.
            let alike = |finding: &&Value| {
                has.iter().filter(|(key, value)| finding.get(*key) == Some(*value)).count()
            };
            let of_kind = findings.iter().filter(|finding| finding.get("kind") == has.get("kind"));
            let nearest = of_kind.max_by_key(alike).unwrap_or(&Value::Null);
            let expected = json!({ "has": has, "at_least": at_least, "at_most": at_most });
            Difference::new(format!("unusual '{what}'"), expected, nearest)
        });
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{SMALL, plan};

    #[test]
    fn what_was_not_detected_is_noticed() {
        let text =
            SMALL.replace("kind = \"unusual_port\", port = 23", "kind = \"quiet_region\", region = \"JP\"");
        let text =
            text.replace("at_least = { score = 6 }", "at_least = { days = 7 }\nat_most = { days = 8 }");
        let description = plan(&text).description;
        let wrong = |findings: Value| check(&description, &json!({"findings": findings})).differences.len();
        let other = json!({"kind": "quiet_region", "region": "US"});
        assert_eq!(wrong(json!([other, {"kind": "quiet_region", "region": "JP", "days": 7}])), 0);
        for days in [json!(6), json!(9), json!("7"), Value::Null] {
            assert_eq!(wrong(json!([{"kind": "quiet_region", "region": "JP", "days": days}])), 1, "{days}");
        }
        assert_eq!(wrong(json!([{"kind": "quiet_region", "region": "JP"}])), 1);
        assert_eq!(wrong(json!([other])), 1);
        assert_eq!(wrong(json!([])), 2);
        assert_eq!(check(&description, &Value::Null).differences.len(), 2);
    }
}
