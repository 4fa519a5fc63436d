/** The code that opens the secrets if their passphrase is forgotten. It cannot be shown again. */
class RecoveryCode {
  /** Set from its creation until the user confirms having saved it, whatever is opened or closed meanwhile. */
  shown: string | undefined = $state.raw();
}

export const recoveryCode: RecoveryCode = new RecoveryCode();
