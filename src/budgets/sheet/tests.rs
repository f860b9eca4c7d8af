//! Spreadsheets: text in, rows and faults out.

use std::fmt::Write as _;

use crate::budgets::sheet::{Fault, Row, Sheet};

/// The rows of a text, a line each, then what is wrong with what.
fn read(text: &str) -> String {
    let mut faults = Vec::new();
    let mut told = String::new();
    if let Some(sheet) = Sheet::open(text, &mut faults) {
        for mut row in sheet.rows() {
            faults.append(&mut row.faults);
            writeln!(told, "{}", line(&row)).unwrap();
        }
    }
    for Fault { span, text: what } in faults {
        writeln!(told, "{:?}: {what}", &text[span]).unwrap();
    }
    told
}

fn line(row: &Row<'_>) -> String {
    let mut told = format!("{}:", row.line);
    for cell in [&row.customer_id, &row.subscription_id, &row.name, &row.label, &row.owner]
        .into_iter()
        .flatten()
    {
        write!(told, " {:?}", cell.value).unwrap();
    }
    if let Some(budget) = &row.budget {
        write!(told, " {}", budget.value).unwrap();
    }
    if let Some(currency) = &row.currency {
        write!(told, " {}", currency.value).unwrap();
    }
    for list in [&row.contacts, &row.tags, &row.notify, &row.mute_rules]
        .into_iter()
        .filter(|list| !list.is_empty())
    {
        write!(told, " {:?}", list.iter().map(|item| item.value.as_str()).collect::<Vec<_>>())
            .unwrap();
    }
    told
}

#[test]
fn columns_are_found_by_name_in_any_order_and_separators_by_themselves() {
    let told = "2: \"A\" \"Nord\" 1234.50 SEK\n";
    assert_eq!(read("customer_id,label,budget,currency\nA,Nord,\"1 234,50\",SEK\n"), told);
    assert_eq!(read("Currency;Budget;Customer ID;LABEL\r\nsek;1.234,50;A;Nord\r\n"), told);
    assert_eq!(read("\u{feff}budget\tcurrency\tlabel\tcustomer-id\n1,234.50\tSEK\tNord\tA"), told);
    assert_eq!(
        read(
            "label;customer_id;plan;cost;budget;currency;\nNord;A;legacy;no number;1234,50;SEK;\n"
        ),
        told
    );
}

#[test]
fn comments_blank_lines_and_quotes_are_read_as_spreadsheets_write_them() {
    let text = "# a comment, \"with a quote\n\ncustomer_id,label,tags\n,,\n\"# also, \
        one\",,\n\"A\",\"Nord, \"\"the\"\" first\nline\",gold silver|nord\n  B  ,  \"Syd\"  \
        \nC,5\" disk\n";
    assert_eq!(
        read(text),
        "6: \"A\" \"Nord, \\\"the\\\" first\\nline\" [\"gold\", \"silver\", \"nord\"]\n8: \"B\" \
            \"Syd\"\n9: \"C\" \"5\\\" disk\"\n"
    );
    assert_eq!(read("sep=;\r\ncustomer_id;label\r\nA;Nord\r\n"), "3: \"A\" \"Nord\"\n");
}

#[test]
fn lists_are_parted_as_suits_them() {
    let text = "customer_id;contacts;notify;mute_rules\n\
                A;it@a.example, ops@a.example|x@a.example;ops-slack, on call;\"no-budget;spend\"\n\
                B;\"IT Desk <it@b.example>; ops@b.example\"\nC;it@c.example ops@c.example\n";
    assert_eq!(
        read(text),
        "2: \"A\" [\"it@a.example\", \"ops@a.example\", \"x@a.example\"] [\"ops-slack\", \"on \
            call\"] [\"no-budget\", \"spend\"]\n3: \"B\" [\"IT Desk <it@b.example>\", \
            \"ops@b.example\"]\n4: \"C\" [\"it@c.example\", \"ops@c.example\"]\n"
    );
}

#[test]
fn a_defused_formula_is_the_text_it_was() {
    assert_eq!(
        read("customer_id,label\nA,'=cmd()\nB,'quoted'\n"),
        "2: \"A\" \"=cmd()\"\n3: \"B\" \"'quoted'\"\n"
    );
}

#[test]
fn every_fault_is_found_at_once() {
    let text = "customer_id,budgt,label,label,wage,\nA,,,,,x\nB,,,,,,1,2\n";
    assert_eq!(
        read(text),
        "2: \"A\"\n3: \"B\"\n\"budgt\": unknown column \"budgt\"; did you mean \
            \"budget\"?\n\"label\": the column \"label\" is there twice\n\"wage\": unknown column \
            \"wage\"; known are customer_id, subscription_id, name, label, budget, currency, \
            contacts, owner, tags, notify, mute_rules\n\"x\": this cell stands in a column without \
            a name\n\"1\": there are more cells than columns: put an amount such as \"1 234,50\", \
            or any text with the separator in it, into quotes\n"
    );
    let text = "customer_id,budget,currency\nA,\"1,234\",SEKK\nB,-5,SEK\nC,12x,\n";
    assert_eq!(
        read(text),
        "2: \"A\"\n3: \"B\" SEK\n4: \"C\"\n\"\\\"1,234\\\"\": \"1,234\" can mean 1234 or 1.2340: \
            write 1234, or 1.2340\n\"SEKK\": \"SEKK\" is not a currency code of three \
            letters\n\"-5\": \"-5\" is negative: a budget is zero or more; leave the cell empty \
            for none\n\"12x\": \"12x\" is no amount: write 1234.50, 1 234,50, 1.234,50 or \
            1,234.50; the currency has a column of its own\n"
    );
}

#[test]
fn a_quote_that_would_swallow_rows_is_a_fault() {
    let text = "customer_id,label,budget\nA,\"Nord,5\nB,\"Syd\",6\nC,Ost,7\n";
    assert_eq!(
        read(text),
        "2: \"A\" 6\n4: \"C\" \"Ost\" 7\n\"\\\"Nord,5\\nB,\\\"\": the text in quotes ends before \
            its cell does: write \"\" for a quote that belongs to the text\n"
    );
    let text = "customer_id,label\nA,\"Nord\nB,Syd\n";
    assert_eq!(
        read(text),
        "2: \"A\"\n\"\\\"\": the quote that opens here is never closed: close it, or double a \
            quote that belongs to the text\n"
    );
    assert!(
        read("").contains("there is nothing in it")
            && read("\n# x\n,,\n").contains("there is nothing in it")
    );
}
