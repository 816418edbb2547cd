//! Ids of traces in the values that carry them on: headers that requests hand on hold more than an id.

/// The id of the trace in a value of `traceparent` and its relatives; the value itself where it has
/// none of their shapes.
///
/// | header | value |
/// | --- | --- |
/// | `traceparent` (W3C) | `00-TRACE-SPAN-01` |
/// | `b3` (Zipkin) | `TRACE-SPAN-1-PARENT` |
/// | `uber-trace-id` (Jaeger) | `TRACE:SPAN:PARENT:1` |
/// | `X-Cloud-Trace-Context` | `TRACE/SPAN;o=1` |
/// | `X-Amzn-Trace-Id` | `Root=TRACE;Parent=SPAN;Sampled=1` |
pub(crate) fn id(context: &str) -> &str {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((_, root)) = context.split_once("Root=") {
        return root.split(';').next().unwrap_or(root);
    }
    if let [version, trace, span, ..] = context.split('-').collect::<Vec<_>>()[..]
        && (version.len(), trace.len(), span.len()) == (2, 32, 16)
    {
        return trace;
    }
    let first = context.split(['-', ':', '/']).next().unwrap_or(context);
    let is_trace = matches!(first.len(), 16 | 32) && is_hex(first);
    if is_trace { first } else { context }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for value in [
            format!("00-{trace}-00f067aa0ba902b7-01"),
            format!("{trace}-00f067aa0ba902b7-1-05e3ac9a4f6e3b90"),
            format!("{trace}:00f067aa0ba902b7:0:1"),
            format!("{trace}/67667974448284343;o=1"),
            trace.to_owned(),
        ] {
            assert_eq!(id(&value), trace, "{value}");
        }
        let amazon = "1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(id(&format!("Self=1-67891234-1;Root={amazon};Parent=5;Sampled=1")), amazon);
        // Whatever else it is, it is an id of somebody's.
        for value in ["", "-", "req-17", amazon, "a3ce929d0e0e4736-x", "é-1"] {
            let expected = value.strip_suffix("-x").unwrap_or(value);
            assert_eq!(id(value), expected);
        }
    }
}
