//! Errors: their place in the script, and who catches them.

use super::super::plan::{Description, Op};
use super::super::value::{Arguments, ScriptError, Value, Values};
use super::{FrameKind, Machine};

impl Machine<'_> {
    /// Completes an error of the innermost frame, and goes on where it is caught, above `floor`.
    pub(super) fn catch(&mut self, error: ScriptError, floor: usize) -> Result<(), ScriptError> {
        let error = self.placed(error);
        if self.failed_line.is_none() {
            self.failed_line = self.line_at(1);
        }
        let catcher = match error {
            ScriptError::Ended(_) => None,
            _ => self.frames.iter().rposition(|frame| matches!(frame.kind, FrameKind::Protected(_))),
        };
        let Some(catcher) = catcher.filter(|at| *at >= floor) else {
            self.frames.truncate(floor);
            return Err(error);
        };
        self.failed_line = None;
        self.frames.truncate(catcher + 1);
        let Some(frame) = self.frames.pop() else { return Err(error) };
        let handler = match frame.kind {
            FrameKind::Protected(handler) => handler,
            _ => None,
        };
        let mut values = Values::from_iter([Value::Boolean(false)]);
        values.extend(self.handle(error, handler)?);
        self.deliver(values, frame.results_at, frame.wanted)
    }

    /// The line that the function at this level is at: 1 is the innermost one. Libraries and functions that were left by
    /// a tail call are levels without a line.
    pub(super) fn line_at(&self, level: usize) -> Option<u32> {
        let (mut left, mut is_hidden) = (level, false);
        for frame in self.frames.iter().rev() {
            left = left.checked_sub(1)?;
            if left == 0 && is_hidden {
                return None;
            }
            is_hidden = frame.hides_caller;
            if left == 0 {
                return frame.closure.proto.lines.get(frame.next.saturating_sub(1)).copied();
            }
            left = left.checked_sub(frame.tails as usize).filter(|left| *left > 0)?;
            if !matches!(frame.kind, FrameKind::Plain) {
                left = left.checked_sub(1).filter(|left| *left > 0)?;
            }
        }
        None
    }

    /// `user_script:1: `
    fn place(&self, level: usize) -> Vec<u8> {
        self.line_at(level).map_or_else(Vec::new, |line| format!("{}:{line}: ", self.name).into_bytes())
    }

    /// An error of the innermost frame, with its place before the message.
    pub(super) fn placed(&self, error: ScriptError) -> ScriptError {
        let message = match error {
            ScriptError::Message(message) => message,
            ScriptError::Argument(position, text) => argument_message(self.callee().as_ref(), position, &text),
            ScriptError::Operand(action, second, kind) => {
                let name = self.innermost().and_then(|(proto, at)| proto.describe(at, second).cloned());
                operand_message(action, name, kind)
            }
            ScriptError::Part(index, kind) => operand_message("concatenate", self.part_name(index), kind),
            other => return other,
        };
        ScriptError::Raised(Value::text([self.place(1), message].concat()))
    }

    /// An error of a library that no function of the script called.
    pub(super) fn unplaced(&self, error: ScriptError) -> ScriptError {
        match error {
            ScriptError::Message(message) => ScriptError::Raised(Value::text(message)),
            ScriptError::Argument(position, text) => {
                ScriptError::Raised(Value::text(argument_message(None, position, &text)))
            }
            other => other,
        }
    }

    /// The value that an error is for whoever catches it.
    pub(super) fn value_of(&self, error: ScriptError) -> Value {
        match self.placed(error) {
            ScriptError::Raised(value) => value,
            ScriptError::Ended(text) => Value::text(text),
            _ => Value::Nil,
        }
    }

    fn innermost(&self) -> Option<(&super::super::plan::Proto, usize)> {
        self.frames.last().map(|frame| (&*frame.closure.proto, frame.next.saturating_sub(1)))
    }

    /// How the script names the function that it is calling.
    fn callee(&self) -> Option<Description> {
        let (proto, at) = self.innermost()?;
        match proto.code.get(at)? {
            Op::Call { .. } | Op::TailCall { .. } => proto.describe(at, false).cloned(),
            Op::GenericFor { .. } => Some(Description { kind: "local", name: (*b"(for generator)").into() }),
            _ => None,
        }
    }

    /// The name of a part of a concatenation.
    fn part_name(&self, index: usize) -> Option<Description> {
        let (proto, at) = self.innermost()?;
        proto.names.iter().find_map(|(pc, _, description)| {
            let (first, name) = description.name.split_first()?;
            (*pc as usize == at && usize::from(*first) == index)
                .then(|| Description { kind: description.kind, name: name.into() })
        })
    }

    /// `error(message, level)`, called through so many libraries.
    pub(super) fn raise(&self, arguments: &[Value], libraries: usize) -> ScriptError {
        let arguments = Arguments(arguments);
        let level = match arguments.integer_or(2, 1) {
            Ok(level) => level,
            Err(error) => return error,
        };
        match (arguments.get(1), usize::try_from(level)) {
            (message @ (Value::Text(_) | Value::Number(_)), Ok(level)) if level > 0 => {
                let text = message.as_text();
                let text = text.as_deref().unwrap_or_default();
                let place = level.checked_sub(libraries).filter(|level| *level > 0);
                let place = place.map_or_else(Vec::new, |level| self.place(level));
                ScriptError::Raised(Value::text([&place, text].concat()))
            }
            (other, _) => ScriptError::Raised(other.clone()),
        }
    }
}

/// `attempt to index local 'x' (a nil value)`
fn operand_message(action: &str, name: Option<Description>, kind: &str) -> Vec<u8> {
    match name {
        Some(Description { kind: place, name }) => {
            let before = format!("attempt to {action} {place} '");
            [before.as_bytes(), &name, format!("' (a {kind} value)").as_bytes()].concat()
        }
        None => format!("attempt to {action} a {kind} value").into_bytes(),
    }
}

/// `bad argument #1 to 'rep' (string expected, got no value)`; the object of a method does not count.
fn argument_message(callee: Option<&Description>, position: usize, text: &[u8]) -> Vec<u8> {
    let name: &[u8] = callee.map_or(b"?", |callee| &callee.name);
    let is_method = callee.is_some_and(|callee| callee.kind == "method");
    if is_method && position == 1 {
        return [b"calling '", name, b"' on bad self (", text, b")"].concat();
    }
    let position = format!("bad argument #{} to '", position - usize::from(is_method));
    [position.as_bytes(), name, b"' (", text, b")"].concat()
}
