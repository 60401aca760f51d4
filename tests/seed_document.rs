//! Every command block of the first requirement document (the review-analysis platform's data design), typed through
//! redis-cli with its placeholders filled in: replies, then the types and times to live of all keys.
//!
//! The replies are stored here, and a real redis-server has to give them too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Server, Tool};

/// A command as one types it (line breaks of the document joined), and what `redis-cli --no-raw` prints.
const COMMANDS: &[(&str, &str)] = &[
    // 1. Sessions.
    (r#"SET user_session:user123:sess456 "5f4dcc3b5aa765d61d8327deb882cf99" EX 604800"#, "OK"),
    (r#"SET user_online:user123 "true" EX 3600"#, "OK"),
    (r#"SET login_attempts:user@example.com "3" EX 900"#, "OK"),
    // 2. Concurrent requests.
    (
        r#"SET analysis_lock:prod123 '{ "task_id": "task-12345", "product_id": "prod-123", "user_id": "user-456", "type": "batch", "status": "processing", "started_at": "2025-01-08T10:00:00Z", "estimated_completion": "2025-01-08T11:00:00Z", "user_count": 3 }' EX 3600"#,
        "OK",
    ),
    (r#"LPUSH analysis_queue:prod123 "user-789:realtime""#, "(integer) 1"),
    (r#"LPUSH analysis_queue:prod123 "user-101:batch""#, "(integer) 2"),
    (r#"LPUSH analysis_queue:prod123 "user-202:realtime""#, "(integer) 3"),
    ("LRANGE analysis_queue:prod123 0 -1", "1) \"user-202:realtime\"\n2) \"user-101:batch\"\n3) \"user-789:realtime\""),
    ("RPOP analysis_queue:prod123", "\"user-789:realtime\""),
    // 3. Progress.
    (
        r#"HSET analysis_progress:task789 "status" "processing" "progress" "45" "current_step" "sentiment_analysis" "total_reviews" "1250" "processed_reviews" "562" "started_at" "2025-01-08T10:30:00Z" "estimated_completion" "2025-01-08T11:15:00Z""#,
        "(integer) 7",
    ),
    ("EXPIRE analysis_progress:task789 7200", "(integer) 1"),
    (
        r#"HSET analysis_stats:task789 "positive" "45" "negative" "12" "neutral" "8" "total_processed" "65" "last_updated" "2025-01-08T10:45:30Z""#,
        "(integer) 5",
    ),
    ("EXPIRE analysis_stats:task789 7200", "(integer) 1"),
    (r#"PUBLISH analysis_updates:task789 '{"progress": 47, "step": "keyword_extraction"}'"#, "(integer) 0"),
    (r#"PUBLISH analysis_stats:task789 '{"positive": 48, "negative": 12, "neutral": 9}'"#, "(integer) 0"),
    (r#"PUBLISH user_notifications:user123 '{"type": "analysis_started", "task_id": "task-456"}'"#, "(integer) 0"),
    (r#"HSET websocket_connections:task789 "user123" "conn_abc123" "user456" "conn_def456""#, "(integer) 2"),
    ("EXPIRE websocket_connections:task789 7200", "(integer) 1"),
    // 3. Search.
    (r#"SET search_cache:9a0364b9e99bb480 "{\"total\": 2, \"items\": [\"prod123\", \"prod124\"]}" EX 1800"#, "OK"),
    (r#"ZADD popular_searches 1 "아이폰 15""#, "(integer) 1"),
    (r#"ZADD popular_searches 5 "갤럭시 S24""#, "(integer) 1"),
    (r#"ZADD popular_searches 3 "맥북 프로""#, "(integer) 1"),
    (r#"LPUSH user_recent_searches:user123 "아이폰 15""#, "(integer) 1"),
    ("LTRIM user_recent_searches:user123 0 9", "OK"),
    // 4. Products.
    (
        r#"HSET product_cache:prod123 "name" "아이폰 15 Pro 128GB" "price" "1290000" "rating" "4.5" "review_count" "1250" "image_url" "https://..." "#,
        "(integer) 5",
    ),
    ("EXPIRE product_cache:prod123 3600", "(integer) 1"),
    (r#"SET analysis_cache:prod123 "{\"sentiment\": {\"positive\": 0.71}}" EX 21600"#, "OK"),
    // 5. Notifications.
    (
        r#"LPUSH user_notifications:user123 "{\"type\": \"price_drop\", \"message\": \"가격이 내렸습니다\"}""#,
        "(integer) 1",
    ),
    (r#"ZADD price_alert_queue 1736330400 "user123:prod123:1190000""#, "(integer) 1"),
    (r#"SET websocket_connection:user123 "conn_abc123" EX 3600"#, "OK"),
    // 6. Monitoring.
    ("INCR api_requests:2025-01-08:/api/v1/reviews", "(integer) 1"),
    ("EXPIRE api_requests:2025-01-08:/api/v1/reviews 86400", "(integer) 1"),
    ("PFADD active_users:2025-01-08 user123", "(integer) 1"),
    (r#"HSET system_status "total_users" "1250" "active_analyses" "15" "queue_size" "45""#, "(integer) 3"),
    // 7. Rate limits.
    (r#"SET rate_limit:user123:/api/v1/reviews "10" EX 60"#, "OK"),
    (r#"SET ip_limit:203.0.113.7 "100" EX 3600"#, "OK"),
];

/// What is there afterwards: key, type, encoding, seconds to live (-1: for ever).
const KEYS: &[(&str, &str, i64)] = &[
    ("active_users:2025-01-08", "string", -1),
    ("analysis_cache:prod123", "string", 21600),
    ("analysis_lock:prod123", "string", 3600),
    ("analysis_progress:task789", "hash", 7200),
    ("analysis_queue:prod123", "list", -1),
    ("analysis_stats:task789", "hash", 7200),
    ("api_requests:2025-01-08:/api/v1/reviews", "string", 86400),
    ("ip_limit:203.0.113.7", "string", 3600),
    ("login_attempts:user@example.com", "string", 900),
    ("popular_searches", "zset", -1),
    ("price_alert_queue", "zset", -1),
    ("product_cache:prod123", "hash", 3600),
    ("rate_limit:user123:/api/v1/reviews", "string", 60),
    ("search_cache:9a0364b9e99bb480", "string", 1800),
    ("system_status", "hash", -1),
    ("user_notifications:user123", "list", -1),
    ("user_online:user123", "string", 3600),
    ("user_recent_searches:user123", "list", -1),
    ("user_session:user123:sess456", "string", 604800),
    ("websocket_connection:user123", "string", 3600),
    ("websocket_connections:task789", "hash", 7200),
];

/// What one reads back (`redis-cli` with its plain output).
const READINGS: &[(&str, &str)] = &[
    ("ZREVRANGE popular_searches 0 -1", "갤럭시 S24\n맥북 프로\n아이폰 15"),
    ("LRANGE user_recent_searches:user123 0 9", "아이폰 15"),
    ("HGET product_cache:prod123 name", "아이폰 15 Pro 128GB"),
    ("LINDEX user_notifications:user123 0", "{\"type\": \"price_drop\", \"message\": \"가격이 내렸습니다\"}"),
    ("PFCOUNT active_users:2025-01-08", "1"),
    ("GET api_requests:2025-01-08:/api/v1/reviews", "1"),
    ("ZSCORE price_alert_queue user123:prod123:1190000", "1736330400"),
    ("HGET analysis_progress:task789 current_step", "sentiment_analysis"),
];

/// Seconds that may pass between a command and the look at its key.
const DRIFT_SECONDS: i64 = 30;

#[test]
fn typed_into_redis_cli() {
    let name = "seed_document::typed_into_redis_cli";
    let Some(cli) = support::tool(name, "redis-cli") else { return };
    for server in servers(name) {
        let typed: String = COMMANDS.iter().map(|(command, _)| format!("{command}\n")).collect();
        let output = cli.run(&server, &["--no-raw"], typed.as_bytes());
        let expected: String = COMMANDS.iter().map(|(_, reply)| format!("{reply}\n")).collect();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        check_keys(&mut server.connect());
        check_readings(&cli, &server);
    }
}

#[test]
fn given_to_redis_cli_as_arguments() {
    let name = "seed_document::given_to_redis_cli_as_arguments";
    let Some(cli) = support::tool(name, "redis-cli") else { return };
    for server in servers(name) {
        for (command, reply) in COMMANDS {
            let mut arguments = vec!["--no-raw".to_string()];
            arguments.extend(split(command));
            let output = cli.run(&server, &arguments, b"");
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{reply}\n"), "to {command}");
        }
        check_keys(&mut server.connect());
        check_readings(&cli, &server);
    }
}

#[test]
fn sent_by_a_plain_client_in_both_protocols() {
    for protocol in [2, 3] {
        let server = Server::pipkin(&[]);
        let mut client = server.connect_with(protocol);
        for (command, reply) in COMMANDS {
            let answer = client.call(&split(command));
            let shown = match answer {
                support::Reply::Integer(n) => format!("(integer) {n}"),
                support::Reply::Bulk(text) => format!("\"{}\"", String::from_utf8_lossy(&text)),
                support::Reply::Array(items) => {
                    let lines = items.iter().enumerate().map(|(at, item)| format!("{}) \"{}\"", at + 1, item.text()));
                    lines.collect::<Vec<_>>().join("\n")
                }
                other => other.text(),
            };
            assert_eq!(shown, *reply, "to {command}");
        }
        check_keys(&mut client);
    }
}

/// Pipkin, and the real Redis where it is installed.
fn servers(test: &str) -> Vec<Server> {
    let mut servers = vec![Server::pipkin(&[])];
    servers.extend(support::oracle(test));
    servers
}

fn check_keys(client: &mut Client) {
    let keys = client.line("KEYS *");
    let mut names: Vec<String> = keys.items().iter().map(|key| key.text()).collect();
    names.sort();
    assert_eq!(names, KEYS.iter().map(|(key, ..)| *key).collect::<Vec<_>>());
    for (key, kind, seconds) in KEYS {
        assert_eq!(client.call(&["TYPE", key]).text(), *kind, "type of {key}");
        let left = client.call(&["TTL", key]).integer();
        let allowed = if *seconds < 0 { *seconds..=*seconds } else { seconds - DRIFT_SECONDS..=*seconds };
        assert!(allowed.contains(&left), "{key} has {left} seconds to live instead of {seconds}");
    }
}

fn check_readings(cli: &Tool, server: &Server) {
    for (command, reply) in READINGS {
        let output = cli.run(server, &split(command), b"");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{reply}\n"), "to {command}");
    }
}

/// Splits a typed line as redis-cli does: blanks separate, quotes hold together, `\"` stands for a quote.
fn split(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, ' ') => arguments.extend(current.take()),
            (None, '"' | '\'') => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (Some('"'), '\\') => current.get_or_insert_default().extend(characters.next()),
            _ => current.get_or_insert_default().push(c),
        }
    }
    arguments.extend(current);
    arguments
}
