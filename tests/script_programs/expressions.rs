//! Expressions of random programs: values of all types, mostly where they fit and sometimes where they do not.

use crate::support::Random;

/// Levels of expressions in expressions.
const DEPTH_MAX: usize = 3;

const NUMBERS: &[&str] = &[
    "1",
    "2",
    "3",
    "7",
    "10",
    "-1",
    "-2",
    "0.5",
    "1.5",
    "-0.5",
    "2.75",
    "1e3",
    "1e15",
    "1e16",
    "123456789012345678",
    "0x10",
    "0xff",
    "1/3",
    "100",
    "255",
    "256",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "1e300",
    "0/0",
    "1/0",
    "-1/0",
    "3.14159265358979",
    "1e-5",
    "99999999999999",
    "100000000000000",
    "9007199254740993",
];
const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'b'",
    "'abc'",
    "'10'",
    "' 10 '",
    "'0x10'",
    "'1e1'",
    "'1e'",
    "'-3'",
    "'3.0'",
    "'1 2'",
    "'nan'",
    "'inf'",
    "'hello world'",
    "'a,b,,c'",
    "'%d'",
    "'\\0'",
    "'a\\0b'",
    "'\\n'",
    "'\\r\\n'",
    "'key=value'",
    "'(x)(y)'",
    "'\\255\\254'",
    "[[long\ntext]]",
    "\"q'q\"",
    "'AbC'",
    "'x%y'",
    "'007'",
    "'a-b'",
    "'[1]'",
    "'{\"a\":[1,2,{}],\"b\":null}'",
    "'[1,2.5,true]'",
];
const PATTERNS: &[&str] = &[
    "'.'",
    "'%d+'",
    "'%a'",
    "'%w*'",
    "'(%a)(.)'",
    "'^a'",
    "'b$'",
    "'[a-c]+'",
    "'[^,]*'",
    "'%s'",
    "'()'",
    "'.-b'",
    "'a?b'",
    "'%f[%w]%w+'",
    "'%b()'",
    "'(.)%1'",
    "'%'",
    "'['",
    "'(a'",
    "'%1'",
    "'[%a_][%w_]*'",
    "'-'",
    "''",
    "'l+'",
    "'%z'",
    "'(()'",
];
const REPLACEMENTS: &[&str] =
    &["''", "'x'", "'<%0>'", "'%1%1'", "'%2'", "'%%'", "'%'", "u", "t", "string.upper", "{a = 1, b = true}"];
const FORMATS: &[&str] = &[
    "'%d'", "'%5d'", "'%-5d|'", "'%05d'", "'%+d'", "'%x'", "'%X'", "'%#x'", "'%o'", "'%u'", "'%c'", "'%s'", "'%10s'",
    "'%-10s|'", "'%.2s'", "'%q'", "'%f'", "'%.2f'", "'%10.3f'", "'%e'", "'%g'", "'%.3g'", "'%i'", "'%%'", "'%5.1f|'",
    "'%y'", "'%'", "'%.20f'",
];

/// The local variables that can be named.
#[derive(Clone)]
pub struct Names(Vec<String>);

impl Names {
    /// Those of the head.
    pub fn new() -> Names {
        Names(["x", "y", "z", "t", "u", "f", "g"].map(str::to_owned).to_vec())
    }

    /// A new name, or an old one again.
    pub fn declare(&mut self, random: &mut Random) -> String {
        let name = (*random.pick(&["p", "q", "r", "s", "x", "y", "v"])).to_owned();
        self.0.push(name.clone());
        name
    }

    /// Any variable.
    pub fn variable(&self, random: &mut Random) -> String {
        self.0[random.below(self.0.len())].clone()
    }

    /// What should be a table.
    pub fn table(&self, random: &mut Random) -> String {
        match random.below(12) {
            0 => self.variable(random),
            1..=6 => "t".into(),
            _ => "u".into(),
        }
    }

    /// A pattern.
    pub fn pattern(&self, random: &mut Random) -> String {
        pick(random, PATTERNS)
    }

    /// Any expression.
    pub fn any(&self, random: &mut Random, depth: usize) -> String {
        match random.below(20) {
            0..=3 => self.variable(random),
            4..=7 => self.number(random, depth),
            8..=11 => self.text(random, depth),
            12 => pick(random, &["nil", "true", "false", "cjson.null"]),
            13 | 14 if depth < DEPTH_MAX => self.logic(random, depth + 1),
            15 if depth < DEPTH_MAX => self.constructor(random, depth + 1),
            16 if depth < DEPTH_MAX => self.call(random, depth + 1),
            17 => pick(random, &["KEYS[1]", "ARGV[1]", "ARGV[2]", "ARGV[3]", "ARGV[9]", "#ARGV", "#KEYS"]),
            18 => format!("{}.{}", self.table(random), random.pick(&["a", "b", "n"])),
            _ => format!("{}[{}]", self.table(random), 1 + random.below(4)),
        }
    }

    /// Mostly a number.
    fn number(&self, random: &mut Random, depth: usize) -> String {
        if random.chance(12) {
            return self.any(random, depth + 1);
        }
        if depth >= DEPTH_MAX || random.chance(45) {
            return pick(random, NUMBERS);
        }
        let depth = depth + 1;
        match random.below(12) {
            0..=4 => {
                let operator = pick(random, &["+", "-", "*", "/", "%", "^"]);
                format!("({} {operator} {})", self.number(random, depth), self.number(random, depth))
            }
            // Never folded: in Lua a constant -0 takes the place of every 0 behind it.
            5 => format!("(-(z and {}))", self.number(random, depth)),
            6 => format!("#{}", if random.chance(50) { "t".into() } else { format!("({})", self.text(random, depth)) }),
            7 => format!("tonumber({})", self.text(random, depth)),
            8 => {
                format!("tonumber({}, {})", self.text(random, depth), pick(random, &["2", "8", "10", "16", "36", "1"]))
            }
            9 => {
                let name = pick(random, &["floor", "ceil", "abs", "sqrt", "exp", "frexp", "modf", "deg"]);
                format!("(math.{name}({}))", self.number(random, depth))
            }
            10 => {
                let name = pick(
                    random,
                    &["math.max", "math.min", "math.fmod", "math.pow", "bit.band", "bit.bor", "bit.bxor", "bit.lshift"],
                );
                format!("{name}({}, {})", self.number(random, depth), self.number(random, depth))
            }
            _ => format!("(string.byte({}, {}))", self.text(random, depth), self.number(random, depth)),
        }
    }

    /// Mostly a text.
    fn text(&self, random: &mut Random, depth: usize) -> String {
        if random.chance(12) {
            return self.any(random, depth + 1);
        }
        if depth >= DEPTH_MAX || random.chance(40) {
            return pick(random, TEXTS);
        }
        let depth = depth + 1;
        let text = self.text(random, depth);
        match random.below(14) {
            0..=2 => format!("lim({text} .. {})", self.any(random, depth)),
            3 => format!("lim({text} .. {} .. {})", self.number(random, depth), self.text(random, depth)),
            4 => format!("string.sub({text}, {}, {})", self.number(random, depth), self.number(random, depth)),
            5 => format!("({text}):{}()", pick(random, &["upper", "lower", "reverse", "len"])),
            6 => format!("lim(string.rep({text}, {}))", random.below(4)),
            7 => format!("string.format({}, {})", pick(random, FORMATS), self.any(random, depth)),
            8 => {
                let (pattern, by) = (self.pattern(random), pick(random, REPLACEMENTS));
                format!(
                    "lim((string.gsub({text}, {pattern}, {by}{})))",
                    pick(random, &["", ", 1", ", 0", ", -1", ", '2'"])
                )
            }
            9 => format!("(string.match({text}, {}))", self.pattern(random)),
            10 => format!("tostring(key({}))", self.number(random, depth)),
            11 => format!("string.char({}, {})", self.number(random, depth), random.below(256)),
            12 => format!("type({})", self.any(random, depth)),
            _ => format!(
                "table.concat({}{})",
                self.table(random),
                pick(random, &["", ", ','", ", '', 1, 2", ", 1, 1", ", '-', 2"])
            ),
        }
    }

    fn logic(&self, random: &mut Random, depth: usize) -> String {
        let left = self.any(random, depth);
        match random.below(8) {
            0..=2 => {
                let operator = pick(random, &["<", ">", "<=", ">=", "==", "~="]);
                format!("({left} {operator} {})", self.any(random, depth))
            }
            3 => format!("({left} == {})", self.any(random, depth)),
            4 => format!("({left} and {})", self.any(random, depth)),
            5 => format!("({left} or {})", self.any(random, depth)),
            6 => format!("({left} and {} or {})", self.any(random, depth), self.any(random, depth)),
            _ => format!("(not {left})"),
        }
    }

    fn constructor(&self, random: &mut Random, depth: usize) -> String {
        let count = random.below(5);
        let fields = (0..count).map(|_| {
            let value = self.any(random, depth);
            match random.below(4) {
                0 => format!("{} = {value}", pick(random, &["a", "b", "n", "ok", "err"])),
                1 => format!("[key({})] = {value}", self.any(random, depth)),
                _ => value,
            }
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }

    /// A call of a library or of the server, with any number of results.
    fn call(&self, random: &mut Random, depth: usize) -> String {
        let value = self.any(random, depth);
        let text = self.text(random, depth);
        match random.below(16) {
            0 => format!(
                "string.find({text}, {}{})",
                self.pattern(random),
                pick(random, &["", ", 2", ", -1", ", 1, true"])
            ),
            1 => format!("string.match({text}, {})", self.pattern(random)),
            2 => format!("string.gsub({text}, {}, {})", self.pattern(random), pick(random, REPLACEMENTS)),
            3 => format!("select({}, {value}, {text})", pick(random, &["1", "2", "3", "-1", "'#'", "0", "'x'"])),
            4 => format!("unpack({}{})", self.table(random), pick(random, &["", ", 2", ", 1, 3", ", 0, 1"])),
            5 => format!("cjson.encode({value})"),
            6 => format!("cjson.decode({text})"),
            7 => format!("cmsgpack.unpack(cmsgpack.pack({value}))"),
            8 => format!(
                "struct.unpack({0}, struct.pack({0}, {value}))",
                pick(random, &["'b'", "'>i4'", "'d'", "'s'", "'<H'", "'>I2'"])
            ),
            9 => format!("bit.tohex({})", self.number(random, depth)),
            10 => format!("table.{}({})", pick(random, &["getn", "maxn", "remove"]), self.table(random)),
            11 => format!("next({})", self.table(random)),
            12 => format!("rawget({}, {value})", self.table(random)),
            13 => format!("rawequal({value}, {text})"),
            14 => format!("redis.{}({text})", pick(random, &["sha1hex", "error_reply", "status_reply"])),
            _ => self.command(random, depth),
        }
    }

    /// A command of the server.
    pub fn command(&self, random: &mut Random, depth: usize) -> String {
        let call = pick(random, &["redis.call", "redis.pcall"]);
        let key = pick(random, &["'a'", "'b'", "'c'", "'d'", "'e'", "KEYS[1]", "KEYS[2]"]);
        let (one, two) = (format!("arg({})", self.any(random, depth)), format!("arg({})", self.any(random, depth)));
        match random.below(22) {
            0 | 1 => format!("{call}('set', {key}, {one})"),
            2 | 3 => format!("{call}('get', {key})"),
            4 => format!("{call}('incrby', {key}, {one})"),
            5 => format!("{call}('append', {key}, {one})"),
            6 => {
                format!("{call}('{}', {key}, {one}, {two})", pick(random, &["rpush", "lpush", "sadd", "zadd", "hset"]))
            }
            7 => format!("{call}('lrange', {key}, '0', -1)"),
            8 => format!("{call}('hgetall', {key})"),
            9 => format!("{call}('hget', {key}, {one})"),
            10 => format!("{call}('zadd', {key}, arg({}), {two})", self.number(random, depth)),
            11 => format!("{call}('zrange', {key}, '0', -1, 'withscores')"),
            12 => format!("{call}('del', {key}, {key})"),
            13 => format!("{call}('exists', {key})"),
            14 => format!("{call}('type', {key})"),
            15 => format!(
                "{call}('{}', {key})",
                pick(random, &["strlen", "llen", "hlen", "scard", "zcard", "lpop", "rpop", "ttl"])
            ),
            16 => format!("{call}('mget', {key}, 'a', 'b')"),
            17 => format!("{call}({one}, {two})"),
            18 => format!("{call}('echo', {one})"),
            19 => format!("{call}('setrange', {key}, '{}', {two})", random.below(9)),
            20 => format!("{call}('hincrbyfloat', {key}, 'n', {one})"),
            _ => format!("{call}('expire', {key}, {one})"),
        }
    }
}

fn pick(random: &mut Random, items: &[&str]) -> String {
    items[random.below(items.len())].to_owned()
}
