/** The languages of the wire: those that a caller may ask to be spoken to in, and those that content may be in. They are not the same. */

export const ACCEPTED_LANGUAGES =
  'en-US es-ES fr-FR it-IT de-DE nl-NL pt-BR pt-PT da-DK ru-RU fr-CA zh-CN ja-JP ko-KR sv-SE'.split(' ')

export const CONTENT_LANGUAGES = [
  'en-US fr-FR en-GB es-ES it-IT nl-NL da-DA sv-SE pt-PT fi-FI no-NB no-NN ja-JA de-DE pt-BR zh-CN zh-TW ko-KO ru-RU el-EL tr-TR',
  'pl-PL cs-CS sk-SK hu-HU sr-SR ar-SA hr-HR ro-RO th-TH de-AT vi-VN id-ID ms-MY fil-PH fr-CA hi-IN uk-UA bg-BG sl-SI xx-XX',
]
  .join(' ')
  .split(' ')
