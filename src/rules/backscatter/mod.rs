//! BS: accepting mail that will bounce, or writing to forged senders.

rules![empty_local_recipient_maps];
