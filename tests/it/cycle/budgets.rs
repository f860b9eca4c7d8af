//! Steps, jumps, duplicates, and budgets that change.

use crate::support::world::{SPEND, World, legacy, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

#[tokio::test]
async fn a_step_alerts_once_whatever_the_value_does() {
    let world = World::new(SPEND);
    assert_eq!(world.poll(DAY, &[plan("A", "79.99", "100", DAY)]).await, "");
    assert_eq!(
        world.poll(DAY, &[plan("A", "80", "100", DAY)]).await,
        "A spend 80: 80 of 100, 2019-09-01 .. 2019-10-01 month"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "80", "100", DAY)]).await, "1 duplicate");
    assert_eq!(world.poll(DAY, &[plan("A", "20", "100", DAY)]).await, "");
    assert_eq!(world.poll(DAY, &[plan("A", "99", "100", DAY)]).await, "1 duplicate");
    assert_eq!(
        world.poll(DAY, &[plan("a", "100", "100", DAY)]).await,
        "a spend 100: 100 of 100, 2019-09-01 .. 2019-10-01 month"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "85", "100", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn a_jump_makes_one_alert_and_the_lower_steps_are_passed() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("B", "1", "100", DAY)]).await;
    let jump = world.poll(DAY, &[plan("A", "900", "100", DAY), plan("B", "1", "100", DAY)]).await;
    assert_eq!(jump, "A spend 100 passed 80: 900 of 100, 2019-09-01 .. 2019-10-01 month\n1 passed");
    assert_eq!(world.poll(DAY, &[plan("A", "85", "100", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn the_first_good_poll_is_the_baseline_and_a_new_rule_has_one_of_its_own() {
    let mut world = World::new(SPEND);
    let month = "2019-09-01 .. 2019-10-01 month";
    assert_eq!(
        world.poll(DAY, &[plan("A", "90", "100", DAY)]).await,
        format!("A spend 80: 90 of 100, {month} baseline")
    );
    assert_eq!(
        world.poll(DAY, &[plan("B", "90", "100", DAY)]).await,
        format!("B spend 80: 90 of 100, {month}")
    );
    world.change_rules(&format!(
        "{SPEND}\n[rules.more]\nmetric = \"percent_used\"\nnotify = \
        [\"hook\"]\nsteps = [{{ at = 50 }}]\n"
    ));
    let both = world.poll(DAY, &[plan("A", "90", "100", DAY), plan("C", "90", "100", DAY)]).await;
    assert_eq!(
        both,
        format!(
            "A more 50: 90 of 100, {month} baseline\nC more 50: 90 of 100, {month} baseline\nC \
                spend 80: 90 of 100, {month}\n1 duplicate"
        )
    );
}

#[tokio::test]
async fn an_eighty_written_eighty_point_zero_is_the_same_step() {
    let mut world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    world.change_rules(&SPEND.replace("at = 80 ", "at = \"80.0\" "));
    assert_eq!(world.poll(DAY, &[plan("A", "91", "100", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn a_renamed_rule_alerts_anew_unless_it_says_what_it_was_called() {
    let mut world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.usage]\nformerly = \"spend\""));
    assert_eq!(world.poll(DAY, &[plan("A", "90", "100", DAY)]).await, "1 duplicate");
    assert_eq!(
        world.poll(DAY, &[plan("A", "101", "100", DAY)]).await,
        "A usage 100: 101 of 100, 2019-09-01 .. 2019-10-01 month"
    );
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.use]\nformerly = \"usage\""));
    assert_eq!(world.poll(DAY, &[plan("A", "101", "100", DAY)]).await, "1 duplicate", "and again");
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.use]"));
    assert_eq!(
        world.poll(DAY, &[plan("A", "101", "100", DAY)]).await,
        "1 duplicate",
        "the former name may be forgotten"
    );
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.third]"));
    assert_eq!(
        world.poll(DAY, &[plan("A", "101", "100", DAY)]).await,
        "A third 100 passed 80: 101 of 100, 2019-09-01 .. 2019-10-01 month baseline\n1 passed"
    );
}

#[tokio::test]
async fn a_step_added_below_a_raised_one_is_passed_silently() {
    let mut world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "110", "100", DAY)]).await;
    world.change_rules(&SPEND.replace("{ at = 80 }", "{ at = 50 }, { at = 80 }"));
    assert_eq!(world.poll(DAY, &[plan("A", "110", "100", DAY)]).await, "1 duplicate\n1 passed");
    assert_eq!(world.poll(DAY, &[plan("A", "110", "100", DAY)]).await, "1 duplicate");
    world.change_rules(&SPEND.replace("{ at = 100,", "{ at = 100 }, { at = 105,"));
    assert_eq!(
        world.poll(DAY, &[plan("A", "110", "100", DAY)]).await,
        "A spend 105: 110 of 100, 2019-09-01 .. 2019-10-01 month"
    );
}

#[tokio::test]
async fn a_raised_budget_arms_a_step_again_once_the_customer_was_below_it() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "1", "500", DAY)]).await;
    let month = "2019-09-01 .. 2019-10-01 month";
    assert_eq!(
        world.poll(DAY, &[plan("A", "450", "500", DAY)]).await,
        format!("A spend 80: 90 of 500, {month}")
    );
    assert_eq!(world.poll(DAY, &[plan("A", "450", "800", DAY)]).await, "", "56.25 %: seen below");
    assert_eq!(
        world.poll(DAY, &[plan("A", "640", "800", DAY)]).await,
        format!("A spend 80: 80 of 500 → 800, {month}")
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "650", "500", DAY)]).await,
        format!("A spend 100: 130 of 500, {month}")
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "650", "800", DAY)]).await,
        "1 duplicate",
        "an amount that returns raises nothing twice"
    );
}

#[tokio::test]
async fn the_last_cost_counts_as_below_when_budget_and_cost_rise_together() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "450", "500", DAY)]).await;
    assert_eq!(
        world.poll(DAY, &[plan("A", "700", "800", DAY)]).await,
        "A spend 80: 87.5 of 500 → 800, 2019-09-01 .. 2019-10-01 month",
        "with the last cost it would have been 56 %"
    );
}

#[tokio::test]
async fn to_have_been_below_before_a_step_alerted_again_arms_nothing() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "1", "100", DAY)]).await;
    let month = "2019-09-01 .. 2019-10-01 month";
    assert_eq!(
        world.poll(DAY, &[plan("A", "90", "100", DAY)]).await,
        format!("A spend 80: 90 of 100, {month}")
    );
    assert_eq!(world.poll(DAY, &[plan("A", "40", "110", DAY)]).await, "", "seen below under 110");
    assert_eq!(
        world.poll(DAY, &[plan("A", "100", "105", DAY)]).await,
        format!("A spend 80: 95.24 of 100 → 105, {month}")
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "100", "110", DAY)]).await,
        "1 duplicate",
        "a returning budget raises nothing twice"
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "80", "110", DAY)]).await,
        "",
        "below again, since the alert"
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "100", "110", DAY)]).await,
        format!("A spend 80: 90.91 of 105 → 110, {month}")
    );
}

#[tokio::test]
async fn a_step_added_below_a_raised_one_is_passed_by_the_first_poll_that_knows_it() {
    let mut world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "110", "100", DAY)]).await;
    world.poll(DAY, &[plan("A", "20", "100", DAY)]).await;
    world.change_rules(&SPEND.replace("{ at = 80 }", "{ at = 50 }, { at = 80 }"));
    assert_eq!(
        world.poll(DAY, &[plan("A", "20", "200", DAY)]).await,
        "1 passed",
        "though nothing is reached now"
    );
    assert_eq!(
        world.poll(DAY, &[plan("A", "10", "200", DAY)]).await,
        "",
        "10 %: below it, and now it is known"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "120", "100", DAY)]).await, "1 duplicate");
    assert_eq!(
        world.poll(DAY, &[plan("A", "120", "200", DAY)]).await,
        "A spend 50: 60 of 100 → 200, 2019-09-01 .. 2019-10-01 month",
        "it was seen below under 200"
    );
}

#[tokio::test]
async fn a_raise_too_small_to_matter_arms_nothing() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "450", "500", DAY)]).await;
    assert_eq!(
        world.poll(DAY, &[plan("A", "450", "510", DAY)]).await,
        "1 duplicate",
        "88 %: never below"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "400", "510", DAY)]).await, "", "78.43 %: now it was");
    assert_eq!(
        world.poll(DAY, &[plan("A", "450", "510", DAY)]).await,
        "A spend 80: 88.24 of 500 → 510, 2019-09-01 .. 2019-10-01 month"
    );
}

#[tokio::test]
async fn a_lowered_vanished_or_returning_budget_raises_nothing_twice() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "450", "500", DAY)]).await;
    assert_eq!(world.poll(DAY, &[plan("A", "450", "460", DAY)]).await, "1 duplicate");
    assert_eq!(world.poll(DAY, &[plan("A", "450", "", DAY)]).await, "");
    assert_eq!(world.poll(DAY, &[plan("A", "450", "500", DAY)]).await, "1 duplicate");
    assert_eq!(
        world.poll(DAY, &[plan("A", "450", "0", DAY)]).await,
        "A spend 100: over zero of 0, 2019-09-01 .. 2019-10-01 month",
        "a step that had not alerted yet"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "460", "450", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn rearm_never_is_kept() {
    let world = World::new(&SPEND.replace("notify =", "rearm = \"never\"\nnotify ="));
    world.poll(DAY, &[plan("A", "450", "500", DAY)]).await;
    world.poll(DAY, &[plan("A", "100", "800", DAY)]).await;
    assert_eq!(world.poll(DAY, &[plan("A", "700", "800", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn metrics_that_do_not_read_the_budget_ignore_it() {
    let world = World::new(
        "[rules.cost]\nmetric = \"total_cost\"\nnotify = [\"hook\"]\nsteps = [{ at = { SEK = 400 } \
            }]\n",
    );
    world.poll(DAY, &[plan("A", "450", "500", DAY)]).await;
    assert_eq!(world.poll(DAY, &[plan("A", "100", "800", DAY)]).await, "");
    assert_eq!(world.poll(DAY, &[plan("A", "450", "900", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn an_endless_ladder_names_the_fifty_highest_steps_it_passed() {
    let world = World::new(&SPEND.replace("notify =", "then_every = 100\nnotify ="));
    let told = world.poll(DAY, &[plan("A", "10050", "100", DAY)]).await;
    assert!(
        told.starts_with("A spend 10000 passed 5000 5100 5200 ")
            && told.contains(" 9900: 10050 of 100"),
        "{told}"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "10050", "100", DAY)]).await, "1 duplicate");
    let alert = world.poll(DAY, &[plan("A", "10100", "100", DAY)]).await;
    assert_eq!(alert, "A spend 10100: 10100 of 100, 2019-09-01 .. 2019-10-01 month");
    assert_eq!(
        world.poll(DAY, &[plan("A", "300", "100", DAY)]).await,
        "1 duplicate",
        "the lower ones are implied"
    );
}

#[tokio::test]
async fn of_one_id_twice_the_later_date_then_the_larger_cost_is_assessed() {
    let world = World::new(SPEND);
    let (early, late) = ("2019-09-16T00:00:00Z", "2019-09-17T00:00:00Z");
    let month = "2019-09-01 .. 2019-10-01 month baseline";
    let told = world
        .poll(
            DAY,
            &[
                plan("A", "90", "100", early),
                plan("a", "50", "100", late),
                plan("B", "85", "100", late),
                plan("b", "95", "100", late),
            ],
        )
        .await;
    assert_eq!(told, format!("b spend 80: 95 of 100, {month}"));
}

#[tokio::test]
async fn of_one_id_twice_what_is_crossed_is_counted_once() {
    let world = World::new(SPEND);
    let (early, late) = ("2019-09-16T00:00:00Z", "2019-09-17T00:00:00Z");
    world.poll(DAY, &[plan("A", "90", "100", early), plan("B", "90", "100", late)]).await;
    let twice = [
        plan("A", "90", "100", early),
        plan("A", "95", "100", late),
        plan("B", "90", "100", late),
        plan("B", "70", "100", early),
    ];
    assert_eq!(world.poll(DAY, &twice).await, "2 duplicate");
    let lower = [plan("A", "95", "100", late), plan("A", "20", "100", "2019-09-17T01:00:00Z")];
    assert_eq!(world.poll("2019-09-17T02:00:00Z", &lower).await, "", "the copy in force is below");
}

#[tokio::test]
async fn a_removed_rule_is_new_when_it_comes_back() {
    let with = format!(
        "{SPEND}\n[rules.more]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = 50 }}]\n"
    );
    let mut world = World::new(&with);
    let month = "2019-09-01 .. 2019-10-01 month";
    let records = [plan("A", "90", "100", DAY), plan("B", "1", "100", DAY)];
    world.poll(DAY, &records).await;
    world.change_rules(SPEND);
    assert_eq!(world.poll(DAY, &records).await, "1 duplicate");
    world.change_rules(&with);
    assert_eq!(
        world.poll(DAY, &records).await,
        format!("A more 50: 90 of 100, {month} baseline\n1 duplicate")
    );
    let later = [plan("A", "90", "100", DAY), plan("B", "60", "100", DAY)];
    assert_eq!(
        world.poll(DAY, &later).await,
        format!("B more 50: 60 of 100, {month}\n2 duplicate"),
        "a known rule again"
    );
}

#[tokio::test]
async fn a_rule_that_comes_back_judges_customers_that_were_not_read_meanwhile() {
    let with = format!(
        "{SPEND}\n[rules.more]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = 50 }}]\n"
    );
    let mut world = World::new(&with);
    let records = [plan("A", "90", "100", DAY), plan("B", "1", "100", DAY)];
    world.poll(DAY, &records).await;
    world.change_rules(SPEND);
    assert_eq!(world.poll(DAY, &records[1..]).await, "", "A is not in the answer");
    world.change_rules(&with);
    let told = "A more 50: 90 of 100, 2019-09-01 .. 2019-10-01 month baseline\n1 duplicate";
    assert_eq!(world.poll(DAY, &records).await, told);
}

#[tokio::test]
async fn a_removed_rule_closes_its_alerts() {
    let mut world = World::new(&format!(
        "{SPEND}\n[rules.more]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = 50 }}]\n"
    ));
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    world.change_rules(SPEND);
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    let states: Vec<String> = world
        .owed("hook")
        .await
        .iter()
        .flat_map(|delivery| delivery.message.alerts())
        .map(|snapshot| format!("{} {}", snapshot.alert.rule, snapshot.alert.state.as_str()))
        .collect();
    assert!(
        states.contains(&"more closed".to_owned()) && states.contains(&"spend raised".to_owned()),
        "{states:?}"
    );
}

#[tokio::test]
async fn a_range_of_budgets_is_in_the_currency_of_the_budget() {
    let rules = SPEND
        .replace("steps =", "match = { budget = { currency = \"SEK\", at_least = 100 } }\nsteps =");
    let world = World::new(&format!(
        "{rules}\n[customers.L]\nbudget = {{ amount = 100, currency = \"SEK\" }}\n"
    ));
    let told = world
        .poll(
            DAY,
            &[legacy("L", "85", "", DAY), plan("A", "85", "99", DAY), plan("B", "85", "100", DAY)],
        )
        .await;
    let month = "2019-09-01 .. 2019-10-01";
    assert_eq!(
        told,
        format!(
            "B spend 80: 85 of 100, {month} month baseline\nL spend 80: 85 of 100, {month} assumed \
                baseline"
        ),
        "L's usage is in a currency that nobody knows, its budget is not"
    );
}
