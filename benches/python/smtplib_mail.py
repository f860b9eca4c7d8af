"""Mails to the server at PORT over one connection; prints how many a second. `composed`: mails like MAIL, composed one by one, as a
script would that has something to say. `finished`: MAIL itself, again and again, which measures smtplib and the server alone."""

import email
import email.message
import email.policy
import smtplib
import sys
import time

port, count, path, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
with open(path, "rb") as file:
    finished = file.read()
sample = email.message_from_bytes(finished, policy=email.policy.default)
plain = sample.get_body(("plain",)).get_content()
html = sample.get_body(("html",)).get_content()


def compose(customer):
    mail = email.message.EmailMessage()
    for name in ("From", "To", "Subject", "Date", "X-Budget-Alert-Severity", "X-Budget-Alert-Rule"):
        mail[name] = sample[name].replace("customer-00000", customer)
    mail["Message-ID"] = f"<{customer}@partner.example>"
    mail.set_content(plain.replace("customer-00000", customer))
    mail.add_alternative(html.replace("customer-00000", customer), subtype="html")
    return mail


with smtplib.SMTP("127.0.0.1", port) as server:
    start = time.monotonic()
    for number in range(count):
        if how == "composed":
            server.send_message(compose(f"customer-{number:05}"))
        else:
            server.sendmail("alerts@partner.example", ["oncall@partner.example"], finished)
    print(count / (time.monotonic() - start))
