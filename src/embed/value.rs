//! From replies to Rust's types.

use bytes::Bytes;

use super::{Error, Result};
use crate::base::number::{parse_f64, parse_i64};
/// A reply as a value: RESP3, in the type that users of Rust client libraries know.
pub use crate::protocol::value::BytesFrame as Value;

/// A type that a reply can become.
pub trait FromValue: Sized {
    /// Converts, or says what came instead.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a value of another shape, [`Error::Reply`] for the reply of a failed command.
    fn from_value(value: Value) -> Result<Self>;
}

fn unexpected<T>(value: Value) -> Result<T> {
    Err(match value {
        Value::SimpleError { data, .. } => Error::Reply(data.to_string().into()),
        other => Error::Unexpected(Box::new(other)),
    })
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Value> {
        if let Value::SimpleError { .. } = value { unexpected(value) } else { Ok(value) }
    }
}

/// The reply `OK`.
impl FromValue for () {
    fn from_value(value: Value) -> Result<()> {
        match value {
            Value::SimpleString { ref data, .. } if data == "OK" => Ok(()),
            other => unexpected(other),
        }
    }
}

/// Whether something was done: 1 or `OK` against 0 or null.
impl FromValue for bool {
    fn from_value(value: Value) -> Result<bool> {
        match value {
            Value::Number { data, .. } => Ok(data != 0),
            Value::Boolean { data, .. } => Ok(data),
            Value::Null => Ok(false),
            Value::SimpleString { ref data, .. } if data == "OK" => Ok(true),
            other => unexpected(other),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<i64> {
        match value {
            Value::Number { data, .. } => Ok(data),
            Value::BlobString { ref data, .. } => parse_i64(data).map_or_else(|| unexpected(value), Ok),
            other => unexpected(other),
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: Value) -> Result<u64> {
        match value {
            Value::Number { data, .. } => u64::try_from(data).or_else(|_| unexpected(value)),
            other => unexpected(other),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<f64> {
        match value {
            Value::Double { data, .. } => Ok(data),
            Value::Number { data, .. } => Ok(data as f64),
            Value::BlobString { ref data, .. } => parse_f64(data).map_or_else(|| unexpected(value), Ok),
            other => unexpected(other),
        }
    }
}

impl FromValue for Bytes {
    fn from_value(value: Value) -> Result<Bytes> {
        match value {
            Value::BlobString { data, .. }
            | Value::SimpleString { data, .. }
            | Value::VerbatimString { data, .. }
            | Value::BigNumber { data, .. } => Ok(data),
            other => unexpected(other),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Vec<u8>> {
        Bytes::from_value(value).map(Vec::from)
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<String> {
        let text = Bytes::from_value(value)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Option<T>> {
        if let Value::Null = value { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: FromValue + NotByte> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Vec<T>> {
        match value {
            Value::Array { data, .. } | Value::Push { data, .. } => data.into_iter().map(T::from_value).collect(),
            Value::Set { data, .. } => data.into_iter().map(T::from_value).collect(),
            Value::Map { data, .. } => data
                .into_iter()
                .map(|(key, value)| T::from_value(Value::Array { data: vec![key, value], attributes: None }))
                .collect(),
            other => unexpected(other),
        }
    }
}

impl<A: FromValue, B: FromValue> FromValue for (A, B) {
    fn from_value(value: Value) -> Result<(A, B)> {
        match value {
            Value::Array { data, .. } if data.len() == 2 => {
                let mut parts = data.into_iter();
                match (parts.next(), parts.next()) {
                    (Some(first), Some(second)) => Ok((A::from_value(first)?, B::from_value(second)?)),
                    _ => unexpected(Value::Null),
                }
            }
            other => unexpected(other),
        }
    }
}

/// Elements of lists: all but `u8`, whose vector is a string.
pub trait NotByte {}
impl NotByte for Value {}
impl NotByte for bool {}
impl NotByte for i64 {}
impl NotByte for f64 {}
impl NotByte for Bytes {}
impl NotByte for String {}
impl<T> NotByte for Option<T> {}
impl<A, B> NotByte for (A, B) {}
