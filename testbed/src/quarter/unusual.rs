//! What `detect` has to find by itself, against what the description says is unusual.

use serde_json::Value;

use crate::description::{Description, Unusual};
use crate::difference::{Checked, Difference};

/// Looks for each of them among the findings.
pub fn check(description: &Description, detected: &Value) -> Checked {
    let mut checked = Checked::default();
    let findings = detected["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    checked.that(!findings.is_empty(), || Difference::new("findings", "some", "none"));
    for unusual in &description.unusual {
        let Unusual { what, has } = unusual.get_ref();
        let is_it = |finding: &&Value| has.iter().all(|(key, value)| finding.get(key) == Some(value));
        checked.that(findings.iter().any(|finding| is_it(&finding)), || {
            let kind = has.get("kind").and_then(Value::as_str).unwrap_or_default();
            let nearest = findings.iter().find(|finding| finding["kind"] == kind);
            let has = Value::Object(has.clone());
            Difference::new(format!("unusual '{what}'"), has, nearest.unwrap_or(&Value::Null))
        });
    }
    checked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::{SMALL, plan};

    #[test]
    fn what_was_not_detected_is_noticed() {
        let text = format!(
            "{SMALL}\n[[unusual]]\nwhat = \"quiet\"\nhas = {{ kind = \"quiet_region\", region = \"JP\" }}"
        );
        let description = plan(&text).description;
        let wrong = |findings: Value| check(&description, &json!({"findings": findings})).differences.len();
        let other = json!({"kind": "quiet_region", "region": "US"});
        assert_eq!(wrong(json!([other, {"kind": "quiet_region", "region": "JP", "days": 7}])), 0);
        assert_eq!(wrong(json!([other])), 1);
        assert_eq!(wrong(json!([])), 2);
        assert_eq!(check(&description, &Value::Null).differences.len(), 2);
    }
}
