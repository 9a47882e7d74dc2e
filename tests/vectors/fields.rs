//! A JSON object that must be read to the last field.

use serde_json::{Map, Value};

/// The fields of one object, each taken once; [`Fields::done`] fails on what nobody asked for.
pub(crate) struct Fields {
    left: Map<String, Value>,
}

impl Fields {
    pub(crate) fn of(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().cloned();
        fields.map(|left| Self { left }).ok_or_else(|| format!("no object: {value}"))
    }

    pub(crate) fn value(&mut self, name: &str) -> Result<Value, String> {
        self.left.remove(name).ok_or_else(|| format!("no field {name:?}"))
    }

    pub(crate) fn optional(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, String> {
        text(&self.value(name)?)
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        list(&self.value(name)?, text)
    }

    /// A list of lists of text.
    pub(crate) fn rows(&mut self, name: &str) -> Result<Vec<Vec<String>>, String> {
        list(&self.value(name)?, |row| list(row, text))
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value>, String> {
        list(&self.value(name)?, |value| Ok(value.clone()))
    }

    pub(crate) fn entries(&mut self, name: &str) -> Result<Map<String, Value>, String> {
        let value = self.value(name)?;
        value.as_object().cloned().ok_or_else(|| format!("{name} is no object: {value}"))
    }

    /// Fails when a field is left that nobody asked for.
    pub(crate) fn done(self) -> Result<(), String> {
        match self.left.keys().next() {
            Some(name) => Err(format!("unknown field {name:?}")),
            None => Ok(()),
        }
    }
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("no text: {value}"))
}

fn list<T>(value: &Value, of: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    let values = value.as_array().ok_or_else(|| format!("no list: {value}"))?;
    values.iter().map(of).collect()
}
