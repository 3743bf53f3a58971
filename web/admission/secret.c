#include "web/admission/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "web/admission/admission.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16, TAG_AT = NONCE_BYTES + SECRET_BYTES };

_Static_assert(TAG_AT + TAG_BYTES == SEALED_SECRET_BYTES, "nonce, ciphertext, tag");

bool admission_seal_secret(const uint8_t master_key[32], const uint8_t secret[32],
                           uint8_t sealed[SEALED_SECRET_BYTES])
{
    int written;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool sealed_well =
        cipher && RAND_bytes(sealed, NONCE_BYTES) == 1 &&
        EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, master_key, sealed) == 1 &&
        EVP_EncryptUpdate(cipher, sealed + NONCE_BYTES, &written, secret, SECRET_BYTES) == 1 &&
        EVP_EncryptFinal_ex(cipher, sealed + TAG_AT, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + TAG_AT) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return sealed_well;
}

bool secret_open(const uint8_t master_key[32], const uint8_t sealed[SEALED_SECRET_BYTES],
                 uint8_t secret[SECRET_BYTES])
{
    int written;
    uint8_t tag[TAG_BYTES], rest[TAG_BYTES];
    for (int i = 0; i < TAG_BYTES; i++) tag[i] = sealed[TAG_AT + i];
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool opened =
        cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, master_key, sealed) == 1 &&
        EVP_DecryptUpdate(cipher, secret, &written, sealed + NONCE_BYTES, SECRET_BYTES) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
        EVP_DecryptFinal_ex(cipher, rest, &written) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (!opened) OPENSSL_cleanse(secret, SECRET_BYTES);
    return opened;
}

void secret_text(const uint8_t secret[SECRET_BYTES], char text[SECRET_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < SECRET_BYTES; i++) {
        text[2 * i] = hex[secret[i] >> 4];
        text[2 * i + 1] = hex[secret[i] & 15];
    }
}
