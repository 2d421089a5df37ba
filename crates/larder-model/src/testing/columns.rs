//! Random types and what goes with them.

use proptest::{option, prelude::*, sample};

use crate::{ColumnKind, DataType, DefaultModel, DefaultValue, Dialect, Identifier, testing::name};

/// A column without its name.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) data_type: DataType,
    pub(super) nullable: bool,
    pub(super) default: Option<DefaultModel>,
    pub(super) collation: Option<String>,
    pub(super) comment: Option<String>,
}

const KINDS: [ColumnKind; 15] = [
    ColumnKind::Int32,
    ColumnKind::Blob,
    ColumnKind::Boolean,
    ColumnKind::Date,
    ColumnKind::Decimal,
    ColumnKind::Float32,
    ColumnKind::Float64,
    ColumnKind::Int16,
    ColumnKind::Int64,
    ColumnKind::Json,
    ColumnKind::Text,
    ColumnKind::Time,
    ColumnKind::Timestamp,
    ColumnKind::TimestampUtc,
    ColumnKind::Uuid,
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "it's",
    "\"quoted\"",
    "back\\slash",
    "\\'",
    "100%",
    "NULL",
    "0",
    "true",
    "CURRENT_TIMESTAMP",
    "now()",
    " blanks ",
    "$1 ? :a {}",
    "x'); DROP TABLE y; --",
    "größe",
    "日本 🛫",
];

/// A type with any modifier.
pub fn data_type() -> impl Strategy<Value = DataType> {
    prop_oneof![
        8 => sample::select(&KINDS[..]).prop_map(DataType::Kind),
        1 => (1..=20_u32).prop_map(|length| DataType::Char { length }),
        2 => (1..=60_u32).prop_map(|length| DataType::Varchar { length }),
        2 => (1..=18_u16, 0..=6_u16).prop_map(|(precision, scale)| DataType::Decimal {
            precision,
            scale: scale.min(precision),
        }),
        1 => (name(), labels()).prop_map(|(name, labels)| DataType::Enum { name, labels }),
        2 => temporal(),
        1 => native(),
    ]
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    let all = ["small", "large", "it's", "a \"b\"", "back\\slash", "größe", "日本", "100%", "NULL"];
    sample::subsequence(all.map(str::to_owned).to_vec(), 1..=4).prop_shuffle()
}

fn temporal() -> impl Strategy<Value = DataType> {
    let kinds = [ColumnKind::Time, ColumnKind::Timestamp, ColumnKind::TimestampUtc];
    let kind = sample::select(kinds.to_vec());
    (kind, 0..=6_u8).prop_map(|(kind, digits)| DataType::Temporal { kind, digits })
}

fn native() -> impl Strategy<Value = DataType> {
    let native = |kind, mysql: &str, postgres: &str, sqlite: &str| DataType::Native {
        kind,
        mysql: Some(mysql.to_owned()),
        postgres: Some(postgres.to_owned()),
        sqlite: Some(sqlite.to_owned()),
    };
    let kind = ColumnKind::Decimal;
    let partly = DataType::Native { kind, mysql: None, postgres: None, sqlite: None };
    sample::select(vec![
        native(ColumnKind::Text, "mediumtext", "character varying(77)", "VARCHAR(77)"),
        native(ColumnKind::Blob, "mediumblob", "bytea", "BLOB"),
        native(ColumnKind::Decimal, "decimal(12,3)", "numeric(12,3)", "TEXT"),
        partly,
    ])
}

/// Everything of a column but its name.
pub(super) fn shape(dialect: Dialect) -> impl Strategy<Value = Shape> {
    data_type().prop_flat_map(move |data_type| {
        let default = default_of(&data_type);
        let collation = collation_of(dialect, &data_type);
        (any::<bool>(), default, collation, comment()).prop_map(
            move |(nullable, default, collation, comment)| Shape {
                data_type: data_type.clone(),
                nullable,
                default,
                collation,
                comment,
            },
        )
    })
}

/// A comment, or none.
pub(super) fn comment() -> impl Strategy<Value = Option<String>> {
    let texts = sample::select(TEXTS).prop_filter("no empty comment", |text| !text.is_empty());
    option::weighted(0.2, texts.prop_map(str::to_owned))
}

fn collation_of(dialect: Dialect, data_type: &DataType) -> BoxedStrategy<Option<String>> {
    let is_text = match data_type {
        DataType::Char { .. } | DataType::Varchar { .. } => true,
        DataType::Kind(kind) => *kind == ColumnKind::Text,
        _ => false,
    };
    if !is_text {
        return Just(None).boxed();
    }
    let collation = match dialect {
        Dialect::MariaDb | Dialect::MySql => "utf8mb4_bin",
        Dialect::Postgres => "C",
        Dialect::Sqlite => "NOCASE",
    };
    option::weighted(0.2, Just(collation.to_owned())).boxed()
}

fn default_of(data_type: &DataType) -> BoxedStrategy<Option<DefaultModel>> {
    option::weighted(0.4, constant_of(data_type)).boxed()
}

fn constant_of(data_type: &DataType) -> BoxedStrategy<DefaultModel> {
    match data_type {
        DataType::Char { length } | DataType::Varchar { length } => text_of(*length),
        DataType::Decimal { precision, scale } => decimal_of(*precision, *scale),
        DataType::Enum { labels, .. } => {
            sample::select(labels.clone()).prop_map(|label| text(&label)).boxed()
        }
        DataType::Temporal { kind, digits } => calendar_of(*kind, *digits),
        DataType::Native { kind, .. } if *kind == ColumnKind::Decimal => decimal_of(12, 3),
        DataType::Native { kind, .. } if *kind == ColumnKind::Text => text_of(77),
        DataType::Kind(kind) | DataType::Native { kind, .. } => kind_of(*kind),
    }
}

fn kind_of(kind: ColumnKind) -> BoxedStrategy<DefaultModel> {
    let value = DefaultModel::Value;
    match kind {
        ColumnKind::Blob => prop::collection::vec(any::<u8>(), 0..6)
            .prop_map(move |bytes| value(DefaultValue::Blob(bytes.into())))
            .boxed(),
        ColumnKind::Boolean => {
            any::<bool>().prop_map(|is| DefaultValue::Boolean(is).into()).boxed()
        }
        ColumnKind::Decimal => decimal_of(12, 4),
        ColumnKind::Float32 | ColumnKind::Float64 => {
            sample::select(vec!["0", "1", "-1", "1.5", "-2.25", "1000000", "0.125"])
                .prop_map(number)
                .boxed()
        }
        ColumnKind::Int16 => any::<i16>().prop_map(number).boxed(),
        ColumnKind::Int32 => any::<i32>().prop_map(number).boxed(),
        ColumnKind::Int64 => any::<i64>().prop_map(number).boxed(),
        ColumnKind::Json => {
            sample::select(vec!["{}", "[]", "null", "1", "\"it's\"", "{\"a\": [1, true]}"])
                .prop_map(text)
                .boxed()
        }
        ColumnKind::Text => text_of(u32::MAX),
        ColumnKind::Date | ColumnKind::Time | ColumnKind::Timestamp | ColumnKind::TimestampUtc => {
            calendar_of(kind, 0)
        }
        ColumnKind::Uuid => any::<[u8; 16]>()
            .prop_map(move |bytes| value(DefaultValue::Blob(bytes.to_vec().into())))
            .boxed(),
    }
}

/// Texts of at most so many characters.
fn text_of(length: u32) -> BoxedStrategy<DefaultModel> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let fits = move |text: &&str| text.chars().count() <= length;
    let texts: Vec<_> = TEXTS.iter().copied().filter(fits).collect();
    sample::select(texts).prop_map(text).boxed()
}

/// Numbers with at most so many digits, of which at most so many are behind the point.
fn decimal_of(precision: u16, scale: u16) -> BoxedStrategy<DefaultModel> {
    let whole_max = 10_i64.pow(u32::from(precision - scale).min(9)) - 1;
    let fraction_max = 10_u32.pow(u32::from(scale).min(6)) - 1;
    (-whole_max..=whole_max, 0..=fraction_max)
        .prop_map(move |(whole, fraction)| match scale {
            0 => number(whole),
            _ => number(format!("{whole}.{fraction:0width$}", width = usize::from(scale.min(6)))),
        })
        .boxed()
}

fn calendar_of(kind: ColumnKind, digits: u8) -> BoxedStrategy<DefaultModel> {
    let moment = (1990..2030_u16, 1..=12_u8, 1..=28_u8, 0..24_u8, 0..60_u8, 0..60_u8);
    let constant = moment.prop_map(move |(year, month, day, hour, minute, second)| {
        let fraction = if digits >= 3 { ".125" } else { "" };
        let date = format!("{year}-{month:02}-{day:02}");
        let time = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
        text(&match kind {
            ColumnKind::Date => date,
            ColumnKind::Time => time,
            _ => format!("{date} {time}"),
        })
    });
    prop_oneof![Just(DefaultModel::Now), constant].boxed()
}

fn text(text: &str) -> DefaultModel {
    DefaultValue::Text(text.to_owned().into()).into()
}

fn number(digits: impl ToString) -> DefaultModel {
    DefaultValue::Number(digits.to_string().into()).into()
}

/// Whether every database can have it in a key or an index.
pub(super) fn is_indexable(dialect: Dialect, data_type: &DataType) -> bool {
    match data_type {
        DataType::Native { .. } => false,
        DataType::Kind(ColumnKind::Blob | ColumnKind::Text) => {
            !matches!(dialect, Dialect::MariaDb | Dialect::MySql)
        }
        DataType::Kind(ColumnKind::Float32 | ColumnKind::Float64 | ColumnKind::Json) => false,
        _ => true,
    }
}

/// The name of its type, if the database gives it one.
pub(super) fn type_name(data_type: &DataType) -> Option<&Identifier> {
    match data_type {
        DataType::Enum { name, .. } => Some(name),
        _ => None,
    }
}
