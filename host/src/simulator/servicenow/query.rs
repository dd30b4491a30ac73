//! ServiceNow's encoded query language as text: terms, branches, ordering. No table is needed to read it.
//!
//! What the terms mean is in `filter`. Called by the table, aggregate and attachment routes. Holds always: reading
//! never fails; what cannot be understood becomes a [`Term`] with [`Op::Unknown`], which `filter` drops or refuses.

/// A whole encoded query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Alternatives (`^NQ`), each an AND of ORs.
    pub(crate) branches: Vec<Branch>,
    pub(crate) order: Vec<Order>,
    pub(crate) group_by: Vec<String>,
}

/// One alternative: every group must hold, a group holds when one of its terms does.
pub(crate) type Branch = Vec<Vec<Term>>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) field: String,
    pub(crate) op: Op,
    pub(crate) operand: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsEmpty,
    IsNotEmpty,
    Anything,
    Between,
    SameAs,
    NotSameAs,
    GreaterField,
    LessField,
    GreaterOrEqualField,
    LessOrEqualField,
    On,
    NotOn,
    RelativeGreater,
    RelativeLess,
    Dynamic,
    InstanceOf,
    Unknown,
}

/// Wire forms; an earlier entry must not be a prefix of a later one.
const OPERATORS: &[(&str, Op)] = &[
    ("GT_OR_EQUALS_FIELD", Op::GreaterOrEqualField),
    ("LT_OR_EQUALS_FIELD", Op::LessOrEqualField),
    ("DOES NOT CONTAIN", Op::NotLike),
    ("STARTSWITH", Op::StartsWith),
    ("RELATIVEGT", Op::RelativeGreater),
    ("RELATIVEGE", Op::RelativeGreater),
    ("RELATIVELT", Op::RelativeLess),
    ("RELATIVELE", Op::RelativeLess),
    ("INSTANCEOF", Op::InstanceOf),
    ("ISNOTEMPTY", Op::IsNotEmpty),
    ("EMPTYSTRING", Op::IsEmpty),
    ("NSAMEAS", Op::NotSameAs),
    ("NOTEMPTY", Op::IsNotEmpty),
    ("NOT LIKE", Op::NotLike),
    ("ENDSWITH", Op::EndsWith),
    ("CONTAINS", Op::Like),
    ("GT_FIELD", Op::GreaterField),
    ("LT_FIELD", Op::LessField),
    ("ANYTHING", Op::Anything),
    ("NOTLIKE", Op::NotLike),
    ("ISEMPTY", Op::IsEmpty),
    ("DYNAMIC", Op::Dynamic),
    ("BETWEEN", Op::Between),
    ("SAMEAS", Op::SameAs),
    ("NOT IN", Op::NotIn),
    ("NOTIN", Op::NotIn),
    ("NOTON", Op::NotOn),
    ("EMPTY", Op::IsEmpty),
    ("LIKE", Op::Like),
    ("IN", Op::In),
    ("ON", Op::On),
    ("!=", Op::NotEqual),
    ("!*", Op::NotLike),
    ("<=", Op::LessOrEqual),
    (">=", Op::GreaterOrEqual),
    ("<", Op::Less),
    (">", Op::Greater),
    ("=", Op::Equal),
    ("*", Op::Like),
    ("%", Op::EndsWith),
];

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut branch = Branch::new();
        let mut in_related_list = false;
        for (index, part) in split(text).into_iter().enumerate() {
            if in_related_list {
                in_related_list = !part.starts_with("ENDRLQUERY");
                continue;
            }
            if let Some(field) = part.strip_prefix("ORDERBYDESC") {
                query.order.push(Order { field: field.to_owned(), descending: true });
            } else if let Some(field) = part.strip_prefix("ORDERBY") {
                query.order.push(Order { field: field.to_owned(), descending: false });
            } else if let Some(field) = part.strip_prefix("GROUPBY") {
                query.group_by.push(field.to_owned());
            } else if part.starts_with("RLQUERY") {
                in_related_list = true;
            } else if part == "EQ" || part.is_empty() && index > 0 && text.ends_with('^') {
                // The end of a query, written out or left behind by string building.
            } else if let Some(rest) = part.strip_prefix("NQ").filter(|_| index > 0) {
                query.branches.push(std::mem::take(&mut branch));
                if !rest.is_empty() {
                    branch.push(vec![term(rest)]);
                }
            } else if let Some(rest) = part.strip_prefix("OR").filter(|_| index > 0) {
                match branch.last_mut() {
                    Some(group) => group.push(term(rest)),
                    None => branch.push(vec![term(rest)]),
                }
            } else if !part.is_empty() || !text.is_empty() {
                branch.push(vec![term(&part)]);
            }
        }
        query.branches.push(branch);
        query
    }

    /// Requires `term` in every alternative.
    pub(crate) fn require(&mut self, term: &Term) {
        for branch in &mut self.branches {
            branch.push(vec![term.clone()]);
        }
    }
}

/// Splits at carets; a doubled caret stands for one in the text.
fn split(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '^' {
            part.push(char);
        } else if chars.next_if_eq(&'^').is_some() {
            part.push('^');
        } else {
            parts.push(std::mem::take(&mut part));
        }
    }
    parts.push(part);
    parts
}

fn term(text: &str) -> Term {
    let end = text
        .find(|char: char| !(char.is_ascii_lowercase() || char.is_ascii_digit() || "_.".contains(char)))
        .unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    let found = OPERATORS.iter().find_map(|(wire, op)| Some((*op, rest.strip_prefix(wire)?)));
    match found {
        Some((op, operand)) if !field.is_empty() => Term { field: field.to_owned(), op, operand: operand.to_owned() },
        _ => Term { field: field.to_owned(), op: Op::Unknown, operand: rest.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    fn parsed(text: &str) -> Term {
        Query::parse(text).branches[0][0][0].clone()
    }

    #[test]
    fn every_operator_is_read_back_from_its_wire_form() {
        for (wire, op) in OPERATORS {
            let term = parsed(&format!("caller_id.name{wire}Abel"));
            assert_eq!(
                (term.field.as_str(), term.op, term.operand.as_str()),
                ("caller_id.name", *op, "Abel"),
                "{wire}"
            );
        }
    }

    #[test]
    fn or_binds_to_the_condition_before_it_and_nq_starts_anew() {
        let query = Query::parse("active=true^state=1^ORstate=2^NQpriority=1^ORDERBYDESCnumber^ORDERBYsys_id^EQ");
        assert_eq!(query.branches.len(), 2);
        assert_eq!(query.branches[0].len(), 2);
        assert_eq!(query.branches[0][1].len(), 2);
        assert_eq!(query.order.len(), 2);
        assert!(query.order[0].descending);
    }

    #[test]
    fn a_doubled_caret_is_text() {
        assert_eq!(parsed("short_description=a^^b").operand, "a^b");
    }

    #[test]
    fn nonsense_becomes_an_unknown_term_and_never_an_error() {
        assert_eq!(parsed("^^^").op, Op::Unknown);
        assert_eq!(parsed("banana").op, Op::Unknown);
        assert_eq!(parsed("=1").op, Op::Unknown);
        assert_eq!(Query::parse("").branches, vec![Branch::new()]);
    }
}
