//! AC: which domain belongs to which address class.

rules![domain_in_two_classes];
