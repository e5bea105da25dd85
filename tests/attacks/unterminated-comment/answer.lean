by
  trivial
/- and now