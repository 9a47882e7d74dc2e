//! Divvy.
