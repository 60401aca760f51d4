//! Statements: what a random program is made of.
//!
//! Loops and functions use up fuel, texts are cut and tables stay small, so that every program ends soon and within any
//! budget. Addresses never show, neither as texts nor in the order of a table.

use std::fmt::Write as _;

use crate::expressions::Names;
use crate::support::Random;

/// What every program begins with. `out` notes values, `lim` cuts texts, `key` makes keys of values,
/// `arg` arguments (Redis 7.0 writes -0, large integers and scores in another way than 7.2), and
/// `str` texts: Redis 7.0 does not survive an error that is a table without a text.
const HEAD: &str = r"local fuel, log = 300, {}
local function burn() fuel = fuel - 1 if fuel < 0 then error('no fuel') end end
local function lim(v) if type(v) == 'string' and #v > 80 then return v:sub(1, 80) end return v end
local function key(v) local t = type(v) if t == 'table' or t == 'function' then return t end return v end
local function show(v, d)
  local t = type(v)
  if t == 'table' then
    if d > 3 then return '{..}' end
    local s, n = '{', 0
    for k, x in pairs(v) do n = n + 1 if n > 12 then break end s = s .. show(k, d + 1) .. '=' .. show(x, d + 1) .. ',' end
    return s .. '}'
  elseif t == 'string' then return string.format('%q', v)
  elseif t == 'number' then return string.format('%.17g', v)
  elseif t == 'function' then return t end
  return tostring(v)
end
local function arg(v)
  local n = tonumber(v)
  if n == 0 then return 0 end
  if n and (n * 1024 ~= math.floor(n * 1024) or (math.abs(n) > 1e16 and math.abs(n) < math.huge)) then return 5 end
  return v
end
local function str(v) if type(v) == 'string' or type(v) == 'number' then return v end return show(v, 0) end
local function copy(v, d)
  if type(v) ~= 'table' then return v end
  if d > 4 then return 'deep' end
  local c = {}
  for k, x in pairs(v) do c[k] = copy(x, d + 1) end
  return c
end
local function out(...)
  local s = ''
  for i = 1, select('#', ...) do s = s .. show((select(i, ...)), 0):sub(1, 400) .. ' ' end
  if #log < 200 then log[#log + 1] = s end
end
local x, y, z, t, u, f, g = 1, 'two', 3.5, {1, 2, 3}, {a = 1, b = 'c'}, nil, nil
";
const TAIL: &str = "out(x, y, z, t, u, f, g)\nreturn log\n";
/// Levels of statements in statements.
const DEPTH_MAX: usize = 3;

/// A program, as parts of which each can be left out.
pub struct Program {
    /// Its statements.
    pub parts: Vec<String>,
    tail: String,
}

impl Program {
    /// The program of a generator.
    pub fn new(random: &mut Random) -> Program {
        let mut writer = Writer { random, names: Names::new(), depth: 0, loops: 0 };
        let count = 2 + writer.random.below(9);
        let parts = (0..count).map(|_| writer.part()).collect();
        let tail = match writer.random.below(4) {
            0 => format!("return copy({}, 0)\n", writer.any()),
            _ => TAIL.to_owned(),
        };
        Program { parts, tail }
    }

    /// The same without one of its parts.
    pub fn without(&self, at: usize) -> Program {
        let mut parts = self.parts.clone();
        parts.remove(at);
        Program { parts, tail: self.tail.clone() }
    }

    /// As a script.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        self.parts.iter().for_each(|part| text.push_str(part));
        text.push_str(&self.tail);
        text
    }
}

struct Writer<'r> {
    random: &'r mut Random,
    names: Names,
    depth: usize,
    loops: usize,
}

impl Writer<'_> {
    fn any(&mut self) -> String {
        self.names.any(self.random, 0)
    }

    /// A statement of the program's own level, mostly so that its errors end nothing else.
    fn part(&mut self) -> String {
        if self.random.chance(25) {
            return format!("{}\n", self.statement());
        }
        let body = self.nested(|writer| writer.block());
        match self.random.below(5) {
            0 => format!("out(xpcall(function() {body} end, function(e) return {{e}} end))\n"),
            _ => format!("out(pcall(function(...) {body} end, {}))\n", self.any()),
        }
    }

    /// Names that are declared inside are gone outside.
    fn nested(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        let (names, loops) = (self.names.clone(), std::mem::take(&mut self.loops));
        self.depth += 1;
        let text = write(self);
        self.depth -= 1;
        (self.names, self.loops) = (names, loops);
        text
    }

    fn block(&mut self) -> String {
        let count = 1 + self.random.below(4);
        let mut text = String::new();
        for _ in 0..count {
            let statement = self.statement();
            write!(text, "{statement} ").unwrap();
        }
        match self.random.below(10) {
            0 if self.loops > 0 => text.push_str("break "),
            1 => write!(text, "return {} ", self.values()).unwrap(),
            _ => {}
        }
        text
    }

    fn scope(&mut self) -> String {
        let loops = self.loops;
        self.nested(|writer| {
            writer.loops = loops;
            writer.block()
        })
    }

    fn round(&mut self) -> String {
        let loops = self.loops;
        self.nested(|writer| {
            writer.loops = loops + 1;
            format!("burn() {}", writer.block())
        })
    }

    fn values(&mut self) -> String {
        let count = self.random.below(4);
        (0..count).map(|_| self.any()).collect::<Vec<_>>().join(", ")
    }

    fn some_values(&mut self) -> String {
        let count = 1 + self.random.below(3);
        (0..count).map(|_| self.any()).collect::<Vec<_>>().join(", ")
    }

    fn statement(&mut self) -> String {
        let choices = if self.depth >= DEPTH_MAX { 9 } else { 20 };
        match self.random.below(choices) {
            0 | 1 => self.declaration(),
            2..=4 => self.assignment(),
            5 => format!("out({})", self.values()),
            6 => self.command(),
            7 => self.call(),
            8 => self.failure(),
            9 | 10 => self.branches(),
            11 => {
                let condition = self.any();
                format!("while {condition} do {} end", self.round())
            }
            12 => {
                let body = self.round();
                format!("repeat {body} until {}", self.any()).replacen("break  until", " until", 1)
            }
            13 | 14 => self.numeric_loop(),
            15 | 16 => self.generic_loop(),
            17 => format!("do {} end", self.scope()),
            _ => self.function(),
        }
    }

    fn declaration(&mut self) -> String {
        let values = self.values();
        let count = 1 + self.random.below(3);
        let names: Vec<String> = (0..count).map(|_| self.names.declare(self.random)).collect();
        match values.is_empty() {
            true => format!("local {}", names.join(", ")),
            false => format!("local {} = {values}", names.join(", ")),
        }
    }

    fn target(&mut self) -> String {
        match self.random.below(5) {
            0 => format!("{}.{}", self.names.table(self.random), self.random.pick(&["a", "b", "n"])),
            1 => {
                let key = self.any();
                format!("{}[key({key})]", self.names.table(self.random))
            }
            2 => format!("{}[{}]", self.names.table(self.random), self.random.below(6)),
            _ => self.names.variable(self.random),
        }
    }

    fn assignment(&mut self) -> String {
        let count = if self.random.chance(75) { 1 } else { 2 + self.random.below(2) };
        let targets: Vec<String> = (0..count).map(|_| self.target()).collect();
        format!("{} = {}", targets.join(", "), self.some_values())
    }

    fn command(&mut self) -> String {
        let command = self.names.command(self.random, 1);
        match self.random.below(3) {
            0 => format!("out({command})"),
            1 => format!("{} = {command}", self.names.variable(self.random)),
            _ => command,
        }
    }

    /// A call whose results nobody wants, of something that may be no function.
    fn call(&mut self) -> String {
        let arguments = self.values();
        match self.random.below(6) {
            0 => format!("burn() f({arguments})"),
            1 => format!("burn() out(pcall(f, {}))", self.some_values()),
            2 => format!("table.insert({}, {})", self.names.table(self.random), self.any()),
            3 => format!("out(table.remove({}))", self.names.table(self.random)),
            4 => format!("table.sort({})", self.names.table(self.random)),
            _ => format!("burn() out((g or f)({arguments}))"),
        }
    }

    fn failure(&mut self) -> String {
        let value = self.any();
        match self.random.below(6) {
            0 => format!("out(pcall(error, {value}))"),
            1 => format!("if {value} then error(str({})) end", self.any()),
            2 => format!("if {value} then error(str({}), {}) end", self.any(), self.random.below(4)),
            3 => format!("assert({value}, str({}))", self.any()),
            4 => format!("out(pcall(assert, {value}, 'no'))"),
            _ => format!("out(pcall({value}, {}))", self.any()),
        }
    }

    fn branches(&mut self) -> String {
        let mut text = format!("if {} then {}", self.any(), self.scope());
        for _ in 0..self.random.below(3) {
            let condition = self.any();
            write!(text, " elseif {condition} then {}", self.scope()).unwrap();
        }
        if self.random.chance(50) {
            write!(text, " else {}", self.scope()).unwrap();
        }
        text + " end"
    }

    fn numeric_loop(&mut self) -> String {
        let outer = self.names.clone();
        let bounds = match self.random.below(4) {
            0 => format!("{}, {}, {}", self.any(), self.any(), self.any()),
            1 => format!("{}, {}", self.any(), self.any()),
            2 => format!("{}, 1, -{}", self.random.below(6), 1 + self.random.below(2)),
            _ => format!("1, {}", self.random.below(6)),
        };
        let name = self.names.declare(self.random);
        let text = format!("for {name} = {bounds} do {} end", self.round());
        self.names = outer;
        text
    }

    fn generic_loop(&mut self) -> String {
        let outer = self.names.clone();
        let list = match self.random.below(4) {
            0 => format!("ipairs({})", self.names.table(self.random)),
            1 => format!("string.gmatch({}, {})", self.any(), self.names.pattern(self.random)),
            2 => format!("next, {}", self.names.table(self.random)),
            // Anything else, and Lua names what a temporary register happened to hold.
            _ => format!("pairs({})", self.names.table(self.random)),
        };
        let names = format!("{}, {}", self.names.declare(self.random), self.names.declare(self.random));
        let text = format!("for {names} in {list} do {} end", self.round());
        self.names = outer;
        text
    }

    fn function(&mut self) -> String {
        let name = self.random.pick(&["f", "g", "u.a"]);
        let body = self.nested(|writer| {
            let parameters = match writer.random.below(4) {
                0 => "...".to_owned(),
                1 => format!("{}, ...", writer.names.declare(writer.random)),
                2 => String::new(),
                _ => format!("{}, {}", writer.names.declare(writer.random), writer.names.declare(writer.random)),
            };
            let values = if parameters.contains("...") { "..., select('#', ...)" } else { "1" };
            let last = match writer.random.below(4) {
                0 => format!("return {values}"),
                1 => format!("return {}", writer.values()),
                2 => format!("return f({})", writer.any()),
                _ => format!("return {}", writer.any()),
            };
            // Behind a `return` of the block nothing may stand.
            format!("({parameters}) burn() do {} end {last} end", writer.block())
        });
        match self.random.below(3) {
            0 if name != "u.a" => format!("function {name}{body}"),
            1 => format!("{name} = function{body}"),
            _ => format!("{name} = function{body}"),
        }
    }
}
