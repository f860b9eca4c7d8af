//! Who is owed what.

use budget_alertd::domain::{Audience, Message};

use super::{DAY, rules};
use crate::support::world::{World, plan};

/// What is owed to customers: recipient, kind and the customers it is about.
async fn owed(world: &World) -> Vec<String> {
    let owed = world.owed("customers").await;
    assert!(owed.iter().all(|delivery| delivery.audience == Audience::Customer));
    let about = |message: &Message| {
        message
            .alerts()
            .iter()
            .map(|one| one.alert.customer.id.to_string())
            .collect::<Vec<_>>()
            .join("+")
    };
    let one = |delivery: &budget_alertd::domain::Delivery| {
        format!(
            "{} {} {}",
            delivery.recipient.as_deref().unwrap(),
            delivery.message.kind().as_str(),
            about(&delivery.message)
        )
    };
    let mut lines: Vec<_> = owed.iter().map(one).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn each_customer_is_told_of_itself_at_its_own_contacts() {
    let world = World::new(&rules(&["A", "B"]));
    world
        .poll(
            DAY,
            &[plan("A", "1", "100", DAY), plan("B", "1", "100", DAY), plan("C", "1", "100", DAY)],
        )
        .await;
    let records = ["A", "B", "C"].map(|id| plan(id, "90", "100", DAY));
    world.poll("2019-09-17T01:00:00Z", &records).await;
    assert_eq!(
        owed(&world).await,
        ["A@A.example budget.alert.raised A", "B@B.example budget.alert.raised B"]
    );
    assert_eq!(
        world.owed("hook").await.len(),
        3,
        "the partner hears of C too, whose contacts nobody knows"
    );
}

#[tokio::test]
async fn a_first_look_is_never_told_to_customers_nor_what_becomes_of_it() {
    let world = World::new(&rules(&["A"]));
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    world.poll("2019-09-17T02:00:00Z", &[plan("A", "90", "100", DAY)]).await;
    world.poll("2019-09-17T03:00:00Z", &[plan("A", "90", "1000", DAY)]).await;
    assert!(owed(&world).await.is_empty());
    world.poll("2019-09-17T04:00:00Z", &[plan("A", "1100", "1000", DAY)]).await;
    assert_eq!(owed(&world).await, ["A@A.example budget.alert.raised A"], "the next step is news");
}

#[tokio::test]
async fn many_alerts_of_many_customers_never_share_a_digest_with_another_customers() {
    let ids: Vec<String> = (0..12).map(|number| format!("C{number}")).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let world = World::new(&rules(&names).replace("send_resolved = true", "digest_above = 0"));
    world.poll(DAY, &ids.iter().map(|id| plan(id, "1", "100", DAY)).collect::<Vec<_>>()).await;
    world
        .poll(
            "2019-09-17T01:00:00Z",
            &ids.iter().map(|id| plan(id, "90", "100", DAY)).collect::<Vec<_>>(),
        )
        .await;
    let owed = owed(&world).await;
    assert_eq!(owed.len(), 12);
    assert!(
        owed.iter().all(|line| !line.contains('+') && line.contains("budget.digest")),
        "{owed:?}"
    );
}

#[tokio::test]
async fn later_news_goes_to_the_contacts_of_today() {
    let mut world = World::new(&rules(&["A"]));
    world.poll(DAY, &[plan("A", "1", "100", DAY)]).await;
    world.poll("2019-09-17T01:00:00Z", &[plan("A", "90", "100", DAY)]).await;
    world.change_rules(&rules(&["A"]).replace("A@A.example", "new@a.example"));
    world.poll("2019-09-17T02:00:00Z", &[plan("A", "90", "1000", DAY)]).await;
    assert_eq!(
        owed(&world).await,
        ["A@A.example budget.alert.raised A", "new@a.example budget.alert.resolved A"]
    );
}

#[tokio::test]
async fn fixed_addresses_are_those_of_the_one_customer_that_names_them() {
    let one =
        rules(&["A", "B"]).replace("notify = [\"hook\", \"customers\"]", "notify = [\"hook\"]");
    let one = one
        .replace("to_customer_contacts = true", "to = [\"boss@a.example\"]")
        .replace("[customers.A]", "[customers.A]\nnotify = [\"customers\"]");
    let world = World::new(&one);
    world.poll(DAY, &["A", "B"].map(|id| plan(id, "1", "100", DAY))).await;
    world.poll("2019-09-17T01:00:00Z", &["A", "B"].map(|id| plan(id, "90", "100", DAY))).await;
    assert_eq!(owed(&world).await, ["boss@a.example budget.alert.raised A"]);
}

/// The same with an own mailbox in place of the contacts.
fn to_own_mailbox(ids: &[&str]) -> String {
    rules(ids).replace("to_customer_contacts = true", "to = [\"people@partner.example\"]")
}

#[tokio::test]
async fn a_mailbox_of_the_partners_own_may_get_what_customers_would_read_one_customer_in_each() {
    let world = World::new(&to_own_mailbox(&["A", "B"]));
    let warnings = world.config().warnings.join("\n");
    assert!(
        warnings.contains(
            "its addresses get a message about every customer of the rule \"spend\"; \
            one customer in each"
        ),
        "{warnings}"
    );
    assert!(!warnings.contains("tells customers only"), "{warnings}");
    world.poll(DAY, &["A", "B", "C"].map(|id| plan(id, "1", "100", DAY))).await;
    world.poll("2019-09-17T01:00:00Z", &["A", "B", "C"].map(|id| plan(id, "90", "100", DAY))).await;
    let of = |id| format!("people@partner.example budget.alert.raised {id}");
    assert_eq!(owed(&world).await, ["A", "B", "C"].map(of));
}

#[tokio::test]
async fn an_address_that_became_a_customers_own_gets_no_later_news_of_others() {
    let mut world = World::new(&to_own_mailbox(&["A", "B"]));
    world.poll(DAY, &["A", "B"].map(|id| plan(id, "1", "100", DAY))).await;
    world.poll("2019-09-17T01:00:00Z", &["A", "B"].map(|id| plan(id, "90", "100", DAY))).await;
    let theirs = to_own_mailbox(&["A", "B"]).replace("A@A.example", "People@partner.example");
    let theirs = theirs.replace("metric =", "match = { customers = [\"A\"] }\nmetric =");
    world.change_rules(&theirs);
    assert!(!world.config().warnings.join("\n").contains("its addresses"));
    world.poll("2019-09-17T02:00:00Z", &["A", "B"].map(|id| plan(id, "90", "1000", DAY))).await;
    let of = |kind, id| format!("people@partner.example budget.alert.{kind} {id}");
    assert_eq!(owed(&world).await, [of("raised", "A"), of("raised", "B"), of("resolved", "A")]);
}

#[test]
fn what_is_unwise_about_contacts_is_said() {
    let world = World::new(
        &rules(&["A", "B", "C"])
            .replace("B@B.example", "a@A.EXAMPLE")
            .replace("contacts = [\"IT of C <C@C.example>\"]", "tags = [\"x\"]"),
    );
    let warnings = world.config().warnings.join("\n");
    assert!(
        warnings.contains(
            "\"a@a.example\" is an address of several customers, and gets what is about each: a, b"
        ),
        "{warnings}"
    );
    assert!(
        warnings.contains("\"customers\" tells nobody about customers without contacts: c"),
        "{warnings}"
    );
}
