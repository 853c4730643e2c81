/** Frame, home, invitation. */
export default {
  app: { name: 'Entwickler' },
  optional: 'optional',
  missing: { title: 'Diese Adresse führt nirgendwohin' },
  footer: '{title}, mit Gatehouse',
  nav: { apis: 'APIs', apps: 'Anwendungen', search: 'Operationen und Doku suchen', operations: 'Operationen von {api}' },
  home: {
    title: 'Eine API finden, lesen, ausprobieren und darauf aufbauen.',
    search: 'APIs, Operationen, Pfade und Schemas suchen',
    find: 'Suchen',
    hint: 'Etwa „Bestellung anlegen“ oder ein Pfad wie /orders/{\'{\'}id{\'}\'}',
    closed: 'Dieses Portal ist nur für Eingeladene. Nach der Anmeldung sind die APIs sichtbar.',
    own: 'Ihre Anwendungen',
    ownAll: 'Alle Anwendungen',
    begin: 'So geht es los',
    all: 'Alle APIs',
    steps: {
      1: { title: 'API wählen', text: 'Lesen, was sie kann, und ihre Operationen direkt auf der Seite ausprobieren.' },
      2: { title: 'Anwendung abonnieren', text: 'Dem Programm einen Namen geben und einen Plan wählen. Der Schlüssel ist sofort da, oder sobald der Eigentümer zustimmt.' },
      3: { title: 'Aufrufen', text: 'Den Schlüssel in einem Header senden. Sehen, was aufgerufen wurde und warum etwas abgewiesen wurde.' },
    },
  },
  status: { active: 'aktiv', pending: 'wartet', paused: 'pausiert', rejected: 'abgelehnt', closed: 'beendet' },
  invite: {
    title: 'Einladung annehmen',
    text: '{organization} hat {email} eingeladen.',
    noToken: 'Der Link ist unvollständig. Bitte genau so öffnen, wie er in der Einladung steht.',
    name: 'Ihr Name',
    password: 'Passwort',
    passwordText: 'Mindestens 10 Zeichen, oder so viele, wie Ihre Organisation verlangt. Einige Wörter sind besser als viele Sonderzeichen.',
    go: 'Beitreten',
  },
}
