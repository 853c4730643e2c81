/** Acting as somebody else, choosing rows, and other ways in. */
export default {
  impersonation: {
    title: 'Handeln als jemand anderes',
    text: '{by} handelt als {name}.',
    left: 'Endet in weniger als einer Minute. | Endet in {n} Minute. | Endet in {n} Minuten.',
    stop: 'Beenden',
  },
  list: { select: '{name} auswählen', selectPage: 'Alle auf dieser Seite auswählen' },
  csv: {
    label: 'CSV',
    title: 'Alle Zeilen dieser Liste als Datei für eine Tabellenkalkulation',
    stop: 'Abbrechen',
    rows: '{n} Zeile gelesen | {n} Zeilen gelesen',
    done: '{n} Zeile steht in der Datei. | {n} Zeilen stehen in der Datei.',
    cut: 'Die ersten {n} Zeilen stehen in der Datei',
    cutOf: 'Die Liste hat {all} Zeilen. Der Browser liest höchstens {n}, die Kommandozeile alle.',
    cutText: 'Die Liste hat mehr Zeilen. Der Browser liest höchstens {n}, die Kommandozeile alle.',
    all: 'Alle Zeilen, im Terminal',
  },
  brand: { help: 'Hilfe', terms: 'Nutzungsbedingungen', privacy: 'Datenschutz', with: 'Mit {product}' },
  signIn: {
    useBreakGlass: 'Mit einem Notfallkonto anmelden',
    breakGlassHelp: 'Hier melden sich nur Notfallkonten mit einem Passwort an.',
    alsoElsewhere: 'Mit {name} anmelden',
    invitedElsewhere: 'Die Anmeldung erfolgt mit {name}. Ein Passwort ist nicht nötig.',
    failed: { 'organization-full': 'Die Anmeldung ist nicht gelungen: Ihre Organisation hat so viele Benutzer, wie sie haben darf. Bitte den Administrator fragen.' },
  },
}
