use borsh::BorshSerialize;
use proptest::prelude::*;

use super::*;

/// Arguments as a program's own source would have them.
#[derive(BorshSerialize, Clone, Debug)]
enum Kind {
    Print,
    Sound { minutes: u16, reader: String },
}

#[derive(BorshSerialize, Clone, Debug)]
struct Sale {
    amount: u64,
    balance: i64,
    wide: u128,
    low: i128,
    open: bool,
    title: String,
    proof: Vec<[u8; 4]>,
    raw: Vec<u8>,
    tip: Option<u32>,
    note: Option<Option<String>>,
    seller: [u8; 32],
    kinds: Vec<Kind>,
    small: (u8, i8, u16, i16, i32),
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Print => Value::Variant(0, vec![]),
        Kind::Sound { minutes, reader } => {
            Value::Variant(1, vec![Value::U16(*minutes), Value::Text(reader.clone())])
        }
    }
}

fn value(sale: &Sale) -> Value {
    let maybe = |value: Option<Value>| Value::Maybe(value.map(Box::new));
    let text = |text: &String| Value::Text(text.clone());
    let (a, b, c, d, e) = sale.small;
    Value::Record(vec![
        Value::U64(sale.amount),
        Value::I64(sale.balance),
        Value::U128(sale.wide),
        Value::I128(sale.low),
        Value::Bool(sale.open),
        text(&sale.title),
        Value::List(sale.proof.iter().map(|item| Value::Fixed(item.to_vec())).collect()),
        Value::Bytes(sale.raw.clone()),
        maybe(sale.tip.map(Value::U32)),
        maybe(sale.note.as_ref().map(|note| maybe(note.as_ref().map(text)))),
        Value::Key(Address::new(sale.seller)),
        Value::List(sale.kinds.iter().map(kind).collect()),
        Value::Record(vec![
            Value::U8(a),
            Value::I8(b),
            Value::U16(c),
            Value::I16(d),
            Value::I32(e),
        ]),
    ])
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Print),
        (any::<u16>(), ".{0,9}").prop_map(|(minutes, reader)| Kind::Sound { minutes, reader }),
    ]
}

prop_compose! {
    fn sales()(
        (amount, balance, wide, low, open) in any::<(u64, i64, u128, i128, bool)>(),
        title in ".{0,20}",
        proof in any::<Vec<[u8; 4]>>(),
        raw in any::<Vec<u8>>(),
        tip in any::<Option<u32>>(),
        note in prop::option::of(prop::option::of(".{0,9}")),
        seller in any::<[u8; 32]>(),
        kinds in prop::collection::vec(kinds(), 0..4),
        small in any::<(u8, i8, u16, i16, i32)>(),
    ) -> Sale {
        Sale {
            amount, balance, wide, low, open, title, proof, raw, tip, note, seller, kinds, small,
        }
    }
}

proptest! {
    #[test]
    fn arguments_are_those_of_the_official_encoder(sale in sales()) {
        let ours = value(&sale).encode().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(ours, borsh::to_vec(&sale)?);
    }
}

#[test]
fn lists_hold_one_kind_and_names_are_those_of_a_source() {
    let maybe = |value| Value::Maybe(Some(Box::new(value)));
    let mixed = [
        vec![Value::U8(1), Value::U64(1)],
        vec![Value::Fixed(vec![1]), Value::Fixed(vec![1, 2])],
        vec![maybe(Value::U8(1)), Value::Maybe(None), maybe(Value::U8(2)), maybe(Value::U64(1))],
        vec![Value::List(vec![Value::U8(1)]), Value::List(vec![Value::Bool(true)])],
        vec![Value::Record(vec![Value::U8(1)]), Value::Record(vec![])],
    ];
    for items in mixed {
        assert!(Value::List(items.clone()).encode().is_err(), "{items:?}");
    }
    let call = |name: &str| Call {
        program: Address::new([1; 32]),
        name: name.into(),
        accounts: vec![],
        arguments: vec![],
    };
    for name in ["", "mintOne", "Mint", "mint-one", "1mint", "mint one", "mint\n"] {
        assert!(call(name).instruction().is_err(), "{name:?}");
    }
    for name in ["initialize", "mint_v2", "_x"] {
        assert!(call(name).instruction().is_ok(), "{name:?}");
    }
    let own = call("x").tagged(&[7]).map(|order| order.data);
    assert_eq!(own, Ok(vec![7]));
}
