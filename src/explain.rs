//! Reference pages: what an error means, how it looks, why, what to do, is it me or everyone.

use crate::catalog::{Catalog, CategoryInfo, Service};
use crate::rule::Rule;
use crate::rule::words::Category;
use crate::verdict::template;

/// What a page is about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Topic<'c> {
    /// Rules: the first is the subject, the others are relatives of the same subject.
    Rules(Vec<&'c Rule>),
    /// A category.
    Category(&'c CategoryInfo),
    /// A service.
    Service(&'c Service),
}

/// What `subject` stands for: a rule id, an HTTP status, an exit code, a provider's code, a category or a
/// service. With a service, rules of that service come first.
pub fn find<'c>(
    catalog: &'c Catalog,
    subject: &str,
    service: Option<&Service>,
) -> Option<Topic<'c>> {
    if let Some(rule) = catalog.rule(subject) {
        return Some(Topic::Rules(vec![rule]));
    }
    if let Some(category) = Category::from_id(&subject.to_ascii_lowercase().replace('-', "_")) {
        return Some(Topic::Category(catalog.category(category)));
    }
    let of_service = |rule: &Rule| service.is_some_and(|service| belongs(rule, service));
    let foreign = |rule: &Rule| {
        rule.service.is_some()
            || !rule.when.service.is_empty()
            || rule.blocks.iter().any(|block| !block.when.service.is_empty())
    };
    let mut rules: Vec<(u8, &Rule)> = Vec::new();
    for rule in catalog.rules() {
        let by_code = rule.blocks.iter().any(|block| {
            block.conditions.code.iter().any(|code| code.eq_ignore_ascii_case(subject))
        });
        let status: Option<u16> = subject.parse().ok();
        let by_status = status.is_some_and(|status| {
            rule.blocks.iter().any(|block| {
                block.conditions.http_status.iter().any(|range| range.contains(status))
            })
        });
        let usual = status.is_some_and(|status| {
            rule.corroborate
                .http_status
                .iter()
                .any(|range| !range.is_class() && range.contains(status))
        });
        let by_exit = subject.parse().is_ok_and(|code: i32| {
            rule.blocks.iter().any(|block| block.conditions.exit_code.contains(&code))
        });
        // The service's own come first, then the generic ones; other services' only for codes.
        let rank = match (of_service(rule), foreign(rule)) {
            (true, _) if by_code || by_status => 0,
            (true, _) if usual => 1,
            (false, false) if by_code || by_exit => 2,
            (false, false) if by_status && !rule.fallback => 3,
            // A number is no code of all services alike.
            (false, true) if by_code && service.is_none() => 4,
            _ => continue,
        };
        rules.push((rank, rule));
    }
    // What the bare status means comes before what it may also stand for.
    let usual = catalog.rule(&format!("http.{subject}")).map(|rule| rule.category);
    rules.sort_by_key(|(rank, rule)| (*rank, usual != Some(rule.category), rule.id.clone()));
    if !rules.is_empty() {
        return Some(Topic::Rules(rules.into_iter().map(|(_, rule)| rule).collect()));
    }
    catalog.service(subject).map(Topic::Service)
}

fn belongs(rule: &Rule, service: &Service) -> bool {
    rule.service.as_deref() == Some(&*service.id)
        || rule.when.service.contains(&service.id)
        || rule.blocks.iter().any(|block| block.when.service.contains(&service.id))
}

/// The rules that belong to a service, in the order of their ids.
pub fn rules_of<'c>(catalog: &'c Catalog, service: &Service) -> Vec<&'c Rule> {
    catalog.rules().filter(|rule| belongs(rule, service)).collect()
}

/// The texts, codes and statuses by which a rule is recognised, as a person reads them.
pub fn signatures(rule: &Rule) -> Vec<String> {
    let mut list = Vec::new();
    for block in &rule.blocks {
        let conditions = &block.conditions;
        let mut parts = Vec::new();
        if !conditions.code.is_empty() {
            parts.push(format!("code {}", conditions.code.join(" or ")));
        }
        for signature in conditions.any.iter().chain(&conditions.all) {
            parts.push(format!("`{}`", signature.pattern));
        }
        for range in &conditions.http_status {
            parts.push(match range.first == range.last {
                true => format!("HTTP {}", range.first),
                false => format!("HTTP {} to {}", range.first, range.last),
            });
        }
        let names = |list: &[u8], name: fn(u8) -> String| {
            list.iter().map(|&number| name(number)).collect::<Vec<_>>().join(" or ")
        };
        if !conditions.grpc_status.is_empty() {
            let name = |number| crate::facts::values::grpc_name(number).to_owned();
            parts.push(format!("gRPC {}", names(&conditions.grpc_status, name)));
        }
        for code in &conditions.exit_code {
            parts.push(format!("exit code {code}"));
        }
        if !conditions.signal.is_empty() {
            let name = crate::facts::values::signal_name;
            parts.push(names(&conditions.signal, name));
        }
        for part in parts {
            if !list.contains(&part) {
                list.push(part);
            }
        }
    }
    list
}

/// A text of a rule for a page: the service's name and links are filled in, values are shown as
/// `<name>`. `None` where the service lacks a link.
pub fn fill(text: &str, service: Option<&Service>) -> Option<String> {
    template::fill(text, |name| match name.strip_prefix("service.") {
        Some(link) => service?.link(link).map(str::to_owned),
        None if name == "service" => {
            Some(service.map_or("the service".to_owned(), |service| service.name.to_string()))
        }
        None => Some(format!("<{name}>")),
    })
}

/// The first of several variants that can be filled in.
pub fn fill_first(variants: &[Box<str>], service: Option<&Service>) -> Option<String> {
    variants.iter().find_map(|text| fill(text, service))
}

/// The code of a rule that is made from a row of a service's code table, with the product if it
/// is not the default: `11203`, `iat 11203`.
pub fn code_row(rule: &Rule) -> Option<String> {
    let block = rule.blocks.first()?;
    let code = block.conditions.code.first()?;
    if block.when.service.is_empty() || !block.conditions.any.is_empty() {
        return None;
    }
    Some(match rule.id.split('.').collect::<Vec<_>>().as_slice() {
        [_, product, _] => format!("{product} {code}"),
        _ => code.to_string(),
    })
}
