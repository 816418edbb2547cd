//! Builds the catalogue that flags and configuration ask for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use whyerr::{Catalog, Classifier, Layer, Problems};

use crate::args::GlobalArgs;

/// The configuration file (YAML). Every field is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// As `--rules`; relative paths count from the file's folder.
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    no_builtin: bool,
}

/// What keeps a catalogue from loading.
pub enum LoadError {
    /// Problems of rule files.
    Rules(Problems),
    /// Everything else.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for LoadError {
    fn from(error: anyhow::Error) -> Self {
        LoadError::Other(error)
    }
}

/// A catalogue and the layers that were added to the built-in one.
pub struct Loaded {
    pub classifier: Classifier,
    pub has_layers: bool,
}

pub fn load(args: &GlobalArgs) -> Result<Loaded, LoadError> {
    let (config, folder) = config(args)?;
    let builtin = !args.no_builtin && !config.no_builtin;
    if builtin && args.rules.is_empty() && config.rules.is_empty() {
        return Ok(Loaded { classifier: Classifier::builtin().clone(), has_layers: false });
    }
    let mut builder = Catalog::builder();
    builder.with_builtin(builtin);
    for rules in &config.rules {
        let (layer, path) = layer_and_path(rules)?;
        builder.path(layer, folder.join(path));
    }
    for rules in &args.rules {
        let (layer, path) = layer_and_path(rules)?;
        builder.path(layer, path);
    }
    let catalog = builder.build().map_err(LoadError::Rules)?;
    Ok(Loaded { classifier: Classifier::new(&catalog), has_layers: true })
}

/// `organisation=rules/`, `rules/`.
fn layer_and_path(text: &str) -> anyhow::Result<(Layer, &Path)> {
    let Some((name, path)) = text.split_once('=') else {
        return Ok((Layer::User, Path::new(text)));
    };
    match Layer::from_id(name) {
        Some(Layer::Builtin) => bail!("--rules {text}: files cannot join the built-in layer"),
        Some(layer) => Ok((layer, Path::new(path))),
        // A file name may hold `=`.
        None if Path::new(text).exists() => Ok((Layer::User, Path::new(text))),
        None => bail!("--rules {text}: `{name}` is not a layer (vendor, organisation, user)"),
    }
}

fn config(args: &GlobalArgs) -> anyhow::Result<(Config, PathBuf)> {
    let none = (Config::default(), PathBuf::new());
    if args.no_config {
        return Ok(none);
    }
    let path = match &args.config {
        Some(path) => path.clone(),
        None => match default_path() {
            Some(path) if path.exists() => path,
            _ => return Ok(none),
        },
    };
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let config = serde_yaml::from_str(&text)
        .with_context(|| format!("the configuration {} is not right", path.display()))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok((config, folder))
}

/// `$XDG_CONFIG_HOME/whyerr/config.yaml`, else `~/.config/whyerr/config.yaml`.
fn default_path() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(base.join("whyerr").join("config.yaml"))
}
