/** The code that opens the secrets when their passphrase is forgotten. It cannot be had again. */
class RecoveryCode {
  /** From when it is made until somebody says that they have it, whatever is opened or closed meanwhile. */
  shown: string | undefined = $state.raw();
}

export const recoveryCode: RecoveryCode = new RecoveryCode();
