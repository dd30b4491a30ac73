//! Which release of ServiceNow an instance runs, and whether it is one that Tandem knows.

use super::Finding;

/// From the oldest that BigPanda's application was made for to the newest that is known.
const KNOWN: [&str; 19] = [
    "istanbul",
    "jakarta",
    "kingston",
    "london",
    "madrid",
    "newyork",
    "orlando",
    "paris",
    "quebec",
    "rome",
    "sandiego",
    "tokyo",
    "utah",
    "vancouver",
    "washingtondc",
    "xanadu",
    "yokohama",
    "zurich",
    "australia",
];

/// Before them.
const OLDER: [&str; 7] = ["helsinki", "geneva", "fuji", "eureka", "dublin", "calgary", "berlin"];

const CODE: &str = "servicenow.release";

/// Judges what `glide.war` or `glide.buildname` says.
pub(super) fn judge(said: &str) -> Finding {
    let plain: String = said.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    let is = |name: &&&str| plain.contains(**name);
    if let Some(name) = KNOWN.iter().find(is) {
        return Finding::ok(CODE, format!("the instance runs {} ({said})", shown(name)));
    }
    if let Some(name) = OLDER.iter().find(is) {
        return Finding::fail(
            CODE,
            format!("the instance runs {}, which is older than Istanbul", shown(name)),
            "upgrade the instance: Istanbul is the oldest release that is supported",
        );
    }
    Finding::warn(
        CODE,
        format!("the instance runs a release that this version does not know ({said})"),
        "if it is newer than Australia, try Tandem on a sub-production instance of it first",
    )
}

fn shown(name: &str) -> String {
    match name {
        "newyork" => "New York".to_owned(),
        "sandiego" => "San Diego".to_owned(),
        "washingtondc" => "Washington DC".to_owned(),
        _ => name.get(..1).unwrap_or_default().to_uppercase() + name.get(1..).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn releases_are_told_apart() {
        assert_eq!(
            judge("glide-yokohama-12-18-2024__patch4-hotfix1.zip").sentence.split(" (").next(),
            Some("the instance runs Yokohama")
        );
        assert_eq!(judge("glide-istanbul-09-23-2016__patch0.zip").level, Level::Ok);
        assert_eq!(judge("San Diego").level, Level::Ok);
        assert_eq!(judge("glide-helsinki-03-16-2016__patch9.zip").level, Level::Fail);
        assert_eq!(judge("glide-brasilia-01-01-2027").level, Level::Warn);
    }
}
