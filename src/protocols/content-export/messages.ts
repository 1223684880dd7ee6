/** What is said to the person before the screen, in their language, when a client asks for it (`X-egain-error-message: yes`). */

interface Message {
  readonly en: string
  readonly de: string
  readonly fr: string
  readonly es: string
}

/** By code; where a code is not listed, by the HTTP status in front of it. */
const MESSAGES: Readonly<Record<string, Message>> = {
  '400': {
    en: 'The request is not valid. Please check what was sent.',
    de: 'Die Anfrage ist ungültig. Bitte prüfen Sie die gesendeten Angaben.',
    fr: "La requête n'est pas valide. Veuillez vérifier les données envoyées.",
    es: 'La solicitud no es válida. Compruebe los datos enviados.',
  },
  '400-101': {
    en: 'The address has parameters that are not supported.',
    de: 'Die Adresse enthält Parameter, die nicht unterstützt werden.',
    fr: "L'adresse contient des paramètres qui ne sont pas pris en charge.",
    es: 'La dirección contiene parámetros que no se admiten.',
  },
  '400-112': {
    en: 'Something required is missing from the request.',
    de: 'In der Anfrage fehlt eine erforderliche Angabe.',
    fr: 'Il manque une donnée obligatoire dans la requête.',
    es: 'Falta un dato obligatorio en la solicitud.',
  },
  '400-196': {
    en: 'One of the values is not among those that are allowed.',
    de: 'Einer der Werte gehört nicht zu den erlaubten.',
    fr: "L'une des valeurs ne fait pas partie de celles autorisées.",
    es: 'Uno de los valores no está entre los permitidos.',
  },
  '401': {
    en: 'Please log in again.',
    de: 'Bitte melden Sie sich erneut an.',
    fr: 'Veuillez vous reconnecter.',
    es: 'Vuelva a iniciar sesión.',
  },
  '403': {
    en: 'You are not allowed to do this.',
    de: 'Sie sind dazu nicht berechtigt.',
    fr: "Vous n'êtes pas autorisé à effectuer cette action.",
    es: 'No tiene permiso para realizar esta acción.',
  },
  '404': {
    en: 'What you asked for was not found.',
    de: 'Das Gesuchte wurde nicht gefunden.',
    fr: "L'élément demandé est introuvable.",
    es: 'No se ha encontrado lo que ha solicitado.',
  },
  '406': {
    en: 'This language is not supported.',
    de: 'Diese Sprache wird nicht unterstützt.',
    fr: "Cette langue n'est pas prise en charge.",
    es: 'Este idioma no está disponible.',
  },
  '413': {
    en: 'The request is too large.',
    de: 'Die Anfrage ist zu groß.',
    fr: 'La requête est trop volumineuse.',
    es: 'La solicitud es demasiado grande.',
  },
  '429': {
    en: 'Too many requests. Please wait a moment and try again.',
    de: 'Zu viele Anfragen. Bitte warten Sie einen Moment und versuchen Sie es erneut.',
    fr: 'Trop de requêtes. Veuillez patienter un instant, puis réessayer.',
    es: 'Demasiadas solicitudes. Espere un momento e inténtelo de nuevo.',
  },
  '500': {
    en: 'The request cannot be processed at the moment. Please contact your administrator.',
    de: 'Die Anfrage kann derzeit nicht verarbeitet werden. Bitte wenden Sie sich an Ihren Administrator.',
    fr: 'La requête ne peut pas être traitée pour le moment. Veuillez contacter votre administrateur.',
    es: 'La solicitud no se puede procesar en este momento. Póngase en contacto con su administrador.',
  },
  '503': {
    en: 'The service is not available at the moment. Please try again shortly.',
    de: 'Der Dienst ist derzeit nicht verfügbar. Bitte versuchen Sie es in Kürze erneut.',
    fr: "Le service n'est pas disponible pour le moment. Veuillez réessayer dans un instant.",
    es: 'El servicio no está disponible en este momento. Vuelva a intentarlo en breve.',
  },
}
const OTHERWISE = '400'

/** `language` is the Accept-Language as it came; English where it is none of these four. */
export function userMessage(code: string, language: string | undefined): string {
  const status = code.slice(0, 3)
  const message = MESSAGES[code] ?? MESSAGES[status] ?? MESSAGES[status >= '500' ? '500' : OTHERWISE]
  const spoken = (language ?? '').trim().slice(0, 2).toLowerCase()
  return message?.[spoken as keyof Message] ?? message?.en ?? ''
}
