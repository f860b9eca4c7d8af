"""Mails like MAIL to the server at PORT, composed one by one and sent over one connection; prints how many a second."""

import email
import email.message
import email.policy
import smtplib
import sys
import time

port, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with open(path, "rb") as file:
    sample = email.message_from_binary_file(file, policy=email.policy.default)
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
        server.send_message(compose(f"customer-{number:05}"))
    print(count / (time.monotonic() - start))
