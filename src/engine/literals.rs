//! The literals by which signatures are found in raw text; see [`required`].

use std::borrow::Cow;

use super::required::{self, RegexInfo, regex_info};
use super::signatures::Shape;
use crate::builtin;
use crate::problem::Code;
use crate::rule::model::{Signature, SignatureKind};

/// Groups and required literals of a regex.
pub(crate) fn regex(pattern: &str) -> Result<Cow<'static, RegexInfo>, String> {
    match builtin::regex(pattern) {
        Some(info) => Ok(Cow::Borrowed(info)),
        None => regex_info(pattern).map(Cow::Owned),
    }
}

/// The same for a loader: what parses may still be too large to compile, and is refused then
/// rather than never matching. Built-in regexes are compiled by the tests.
pub(crate) fn checked_regex(pattern: &str) -> Result<Cow<'static, RegexInfo>, String> {
    let info = regex(pattern)?;
    if matches!(info, Cow::Owned(_)) {
        super::pattern::compile(pattern, false, false)?;
    }
    Ok(info)
}

/// Literals, in lower case, of which at least one is in the raw text whenever `signature` matches
/// (but see [`super::required`]). Never empty.
pub(crate) fn required(signature: &Signature) -> Result<Vec<Vec<u8>>, (Code, String)> {
    required_with_shape(signature).map(|(literals, _)| literals)
}

/// Literals of a signature, and what else is known of it.
type Literals = (Vec<Vec<u8>>, Shape);

/// The same, and what else is known of the signature.
pub(crate) fn required_with_shape(signature: &Signature) -> Result<Literals, (Code, String)> {
    if signature.kind == SignatureKind::Regex {
        let info = regex(&signature.pattern).map_err(|message| (Code::BadRegex, message))?;
        if info.literals.is_empty() {
            let message = "the regex has no literal of 3 bytes that every match contains";
            return Err((Code::RegexWithoutLiteral, message.into()));
        }
        let shape = Shape::of_regex(&info);
        return Ok((info.into_owned().literals, shape));
    }
    let literals = required::text_literals(&signature.pattern);
    if literals.is_empty() {
        let message = format!(
            "the signature is too short: no {} bytes in a row that escaping leaves alone",
            required::MIN_LITERAL
        );
        return Err((Code::BadSignature, message));
    }
    Ok((literals, Shape::of_text(&signature.pattern)))
}
