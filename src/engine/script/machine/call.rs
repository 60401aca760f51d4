//! Calls and returns.

use std::rc::Rc;

use smallvec::SmallVec;

use super::super::value::{Arguments, Builtin, Closure, Host, ScriptError, Value, Values, live_bytes};
use super::{ANY, BYTES_PER_STEP, FRAMES_MAX, Frame, FrameKind, LONG_TEXT_BYTES, Machine, NESTED_MAX};

/// What a call led to.
#[derive(PartialEq, Eq)]
pub(super) enum Called {
    /// Its results are there.
    Done,
    /// A new frame.
    Script,
}

/// Arguments as a library gets them.
type Given = SmallVec<[Value; 6]>;

impl Machine<'_> {
    /// Calls what stands at `function`, with `count` arguments behind it.
    #[inline]
    pub(super) fn call_at(
        &mut self,
        function: usize,
        count: usize,
        results_at: usize,
        wanted: u16,
    ) -> Result<Called, ScriptError> {
        match &self.stack[function] {
            Value::Function(closure) => {
                let closure = Rc::clone(closure);
                self.step()?;
                self.push_frame(closure, function, count, (results_at, wanted), FrameKind::Plain)?;
                Ok(Called::Script)
            }
            Value::Builtin(Builtin::ProtectedCall) => self.protected_call(function, count, results_at, wanted),
            Value::Builtin(Builtin::HandledCall) => self.handled_call(function, count, results_at, wanted),
            Value::Builtin(builtin) => {
                let builtin = *builtin;
                let arguments = self.take_arguments(function, count);
                let values = self.builtin(builtin, &arguments)?;
                self.deliver(values, results_at, wanted)?;
                Ok(Called::Done)
            }
            Value::Native(native) => {
                let native = *native;
                let arguments = self.take_arguments(function, count);
                let before = live_bytes();
                let values = native(self, &arguments)?;
                self.pay_since(before)?;
                self.deliver(values, results_at, wanted)?;
                Ok(Called::Done)
            }
            Value::Stateful(native) => {
                let native = Rc::clone(native);
                let arguments = self.take_arguments(function, count);
                let before = live_bytes();
                let values = run_stateful(&native, self, &arguments)?;
                self.pay_since(before)?;
                self.deliver(values, results_at, wanted)?;
                Ok(Called::Done)
            }
            other => Err(ScriptError::Operand("call", false, other.type_name())),
        }
    }

    /// What a library has made is paid for: it took as long as it is long, and has to fit the budget.
    #[inline]
    fn pay_since(&mut self, before: usize) -> Result<(), ScriptError> {
        let made = live_bytes().saturating_sub(before);
        if made > LONG_TEXT_BYTES { self.pay_for(made) } else { Ok(()) }
    }

    #[cold]
    pub(super) fn pay_for(&mut self, bytes: usize) -> Result<(), ScriptError> {
        self.reserve(0)?;
        self.tick((bytes / BYTES_PER_STEP) as u64)
    }

    fn take_arguments(&mut self, function: usize, count: usize) -> Given {
        self.stack[function + 1..function + 1 + count].iter_mut().map(std::mem::take).collect()
    }

    /// `return f(…)`: a function of the script takes the place of the one that calls it.
    pub(super) fn tail_call(&mut self, function: usize, count: usize) -> Result<Called, ScriptError> {
        let Value::Function(closure) = &self.stack[function] else {
            return self.call_at(function, count, function, ANY);
        };
        let is_plain = self.frames.last().is_some_and(|frame| matches!(frame.kind, FrameKind::Plain));
        if !is_plain {
            let called = self.call_at(function, count, function, ANY)?;
            if called == Called::Script
                && let Some(innermost) = self.frames.last_mut()
            {
                innermost.hides_caller = true;
            }
            return Ok(called);
        }
        let closure = Rc::clone(closure);
        self.step()?;
        let Some(frame) = self.frames.pop() else { return Ok(Called::Done) };
        // Down to where the caller's function stood: its registers and `...` are gone.
        let parameters = usize::from(frame.closure.proto.parameters);
        let first = if frame.varargs.1 > 0 { frame.varargs.0 - parameters } else { frame.base };
        let begin = first - 1;
        for index in 0..=count {
            self.stack.swap(begin + index, function + index);
        }
        self.push_frame(closure, begin, count, (frame.results_at, frame.wanted), frame.kind)?;
        if let Some(innermost) = self.frames.last_mut() {
            innermost.tails = frame.tails.saturating_add(1);
            innermost.hides_caller = frame.hides_caller;
        }
        Ok(Called::Script)
    }

    fn push_frame(
        &mut self,
        closure: Rc<Closure>,
        function: usize,
        count: usize,
        (results_at, wanted): (usize, u16),
        kind: FrameKind,
    ) -> Result<(), ScriptError> {
        let proto = &closure.proto;
        let parameters = usize::from(proto.parameters);
        if self.frames.len() >= FRAMES_MAX {
            return Err(ScriptError::message("stack overflow"));
        }
        let first = function + 1;
        let base = if proto.is_variadic && count > parameters { first + count } else { first };
        self.grow_stack((base + usize::from(proto.registers)).max(first + count))?;
        let mut varargs = (base, 0);
        if base > first {
            for index in 0..parameters {
                self.stack[base + index] = std::mem::take(&mut self.stack[first + index]);
            }
            varargs = (first + parameters, count - parameters);
        } else {
            for index in count..parameters {
                self.stack[base + index] = Value::Nil;
            }
        }
        self.frames.push(Frame {
            closure,
            base,
            next: 0,
            varargs,
            results_at,
            wanted,
            tails: 0,
            hides_caller: false,
            kind,
        });
        Ok(())
    }

    /// Ends the innermost frame with these results.
    pub(super) fn return_from_frame(&mut self, from: usize, count: usize) {
        let Some(frame) = self.frames.pop() else { return };
        let mut to = frame.results_at;
        let mut wanted = frame.wanted;
        if matches!(frame.kind, FrameKind::Protected(_)) {
            if wanted != 1 {
                let values: Values = self.stack[from..from + count].iter_mut().map(std::mem::take).collect();
                self.stack[to] = Value::Boolean(true);
                let _ = self.deliver(values, to + 1, if wanted == ANY { ANY } else { wanted - 1 });
            }
            return;
        }
        let moved = if wanted == ANY { count } else { count.min(usize::from(wanted) - 1) };
        for index in 0..moved {
            if from != to {
                self.stack[to + index] = std::mem::take(&mut self.stack[from + index]);
            }
        }
        to += moved;
        if wanted == ANY {
            self.top = to;
            return;
        }
        wanted -= 1 + moved as u16;
        for index in 0..usize::from(wanted) {
            self.stack[to + index] = Value::Nil;
        }
    }

    /// Puts a library's results where they are wanted.
    pub(super) fn deliver(&mut self, values: Values, at: usize, wanted: u16) -> Result<(), ScriptError> {
        if wanted == ANY {
            self.grow_stack(at + values.len())?;
            self.top = at + values.len();
            for (index, value) in values.into_iter().enumerate() {
                self.stack[at + index] = value;
            }
            return Ok(());
        }
        let wanted = usize::from(wanted) - 1;
        self.grow_stack(at + wanted)?;
        let mut values = values.into_iter();
        for index in 0..wanted {
            self.stack[at + index] = values.next().unwrap_or_default();
        }
        Ok(())
    }

    /// Calls the iterator of a loop.
    pub(super) fn call_iterator(&mut self, at: usize, results: u8) -> Result<Called, ScriptError> {
        for index in 0..3 {
            self.stack[at + 3 + index] = self.stack[at + index].clone();
        }
        self.call_at(at + 3, 2, at + 3, u16::from(results) + 1)
    }

    /// `pcall`: the function and its arguments stand behind it.
    fn protected_call(
        &mut self,
        function: usize,
        count: usize,
        results_at: usize,
        wanted: u16,
    ) -> Result<Called, ScriptError> {
        if count == 0 {
            // As it comes out of Redis's own `pcall`.
            let text = Value::text("attempt to call a boolean value");
            self.deliver(Values::from_iter([Value::Boolean(false), text]), results_at, wanted)?;
            return Ok(Called::Done);
        }
        self.protect(function + 1, count - 1, (results_at, wanted), None)
    }

    /// `xpcall(function, handler)`
    fn handled_call(
        &mut self,
        function: usize,
        count: usize,
        results_at: usize,
        wanted: u16,
    ) -> Result<Called, ScriptError> {
        if count < 2 {
            return Err(ScriptError::argument(2, "value expected"));
        }
        let handler = self.stack[function + 2].clone();
        self.protect(function + 1, 0, (results_at, wanted), Some(handler))
    }

    fn protect(
        &mut self,
        function: usize,
        count: usize,
        (results_at, wanted): (usize, u16),
        handler: Option<Value>,
    ) -> Result<Called, ScriptError> {
        if let Value::Function(closure) = &self.stack[function] {
            let closure = Rc::clone(closure);
            self.step()?;
            self.push_frame(closure, function, count, (results_at, wanted), FrameKind::Protected(handler))?;
            return Ok(Called::Script);
        }
        let called = std::mem::take(&mut self.stack[function]);
        let arguments = self.take_arguments(function, count);
        let mut values = Values::new();
        match self.call_nested(&called, &arguments) {
            Ok(results) => {
                values.push(Value::Boolean(true));
                values.extend(results);
            }
            Err(error @ ScriptError::Ended(_)) => return Err(error),
            Err(error) => {
                self.failed_line = None;
                values.push(Value::Boolean(false));
                values.extend(self.handle(error, handler)?);
            }
        }
        self.deliver(values, results_at, wanted)?;
        Ok(Called::Done)
    }

    /// A call from a library, or from outside.
    pub(super) fn call_nested(&mut self, function: &Value, arguments: &[Value]) -> Result<Values, ScriptError> {
        if self.nested >= NESTED_MAX {
            return Err(ScriptError::message("C stack overflow"));
        }
        match function {
            Value::Function(closure) => {
                let at = self.extent();
                self.grow_stack(at + 1 + arguments.len())?;
                for (index, argument) in arguments.iter().enumerate() {
                    self.stack[at + 1 + index] = argument.clone();
                }
                self.step()?;
                let floor = self.frames.len();
                self.push_frame(Rc::clone(closure), at, arguments.len(), (at, ANY), FrameKind::Entry)?;
                self.nested += 1;
                let result = self.execute_to(floor);
                self.nested -= 1;
                result?;
                let end = self.top;
                Ok(self.stack[at..end].iter_mut().map(std::mem::take).collect())
            }
            Value::Builtin(Builtin::ProtectedCall | Builtin::HandledCall) => self.protect_nested(function, arguments),
            // Between it and the script stands the library that calls it.
            Value::Builtin(Builtin::Error) => Err(self.unplaced(self.raise(arguments, 1))),
            Value::Builtin(builtin) => self.builtin(*builtin, arguments).map_err(|error| self.unplaced(error)),
            Value::Native(native) => {
                self.nested += 1;
                let before = live_bytes();
                let result = native(self, arguments);
                self.nested -= 1;
                self.pay_since(before)?;
                result.map_err(|error| self.unplaced(error))
            }
            Value::Stateful(native) => run_stateful(native, self, arguments).map_err(|error| self.unplaced(error)),
            other => {
                let text = format!("attempt to call a {} value", other.type_name());
                Err(ScriptError::Raised(Value::text(text)))
            }
        }
    }

    /// `pcall` that is called by a library or by `pcall`.
    fn protect_nested(&mut self, which: &Value, arguments: &[Value]) -> Result<Values, ScriptError> {
        let is_handled = *which == Value::Builtin(Builtin::HandledCall);
        let Some(function) = arguments.first() else {
            let text = Value::text("attempt to call a boolean value");
            return Ok(Values::from_iter([Value::Boolean(false), text]));
        };
        let handler = if is_handled { Some(Arguments(arguments).any(2)?.clone()) } else { None };
        let given = if is_handled { &[] } else { &arguments[1..] };
        let frames = self.frames.len();
        let mut values = Values::new();
        match self.call_nested(function, given) {
            Ok(results) => {
                values.push(Value::Boolean(true));
                values.extend(results);
            }
            Err(error @ ScriptError::Ended(_)) => return Err(error),
            Err(error) => {
                self.frames.truncate(frames);
                values.push(Value::Boolean(false));
                values.extend(self.handle(error, handler)?);
            }
        }
        Ok(values)
    }

    /// The first place of the stack that no frame uses.
    fn extent(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.base + usize::from(frame.closure.proto.registers))
    }

    /// What a caught error becomes: its value, or what the handler makes of it.
    pub(super) fn handle(&mut self, error: ScriptError, handler: Option<Value>) -> Result<Values, ScriptError> {
        let value = self.value_of(error);
        match handler {
            Some(handler) => self.call(&handler, &[value]),
            None => Ok(simplified(value)),
        }
    }
}

/// `pcall` gives the text of an error of the server, as scripts know it of old. Of any other table it gives the field
/// where the text would be, too, as Redis's `pcall` does.
fn simplified(value: Value) -> Values {
    let Value::Table(table) = &value else { return Values::from_iter([value]) };
    match table.get_text(b"err") {
        text @ (Value::Text(_) | Value::Number(_)) => Values::from_iter([text]),
        other => Values::from_iter([value, other]),
    }
}

fn run_stateful(
    native: &super::super::value::StatefulFunction,
    host: &mut dyn Host,
    arguments: &[Value],
) -> Result<Values, ScriptError> {
    match native.try_borrow_mut() {
        Ok(mut native) => native(host, arguments),
        Err(_) => Err(ScriptError::message("attempt to call a function within itself")),
    }
}
