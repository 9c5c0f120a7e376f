/*
 * test_remote_ssh_keys.c - is it the host we mean? Every way in which a host key is refused.
 */
#include "fixtures/ssh_case.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *known_line(const char *marker, const char *patterns, const char *key)
{
	return ssh_case_format("# a comment\n\n%s%s %s\n", marker, patterns, key);
}

static const char *server_name(void)
{
	return ssh_case_format("[127.0.0.1]:%u", ssh_case.server.port);
}

/* "TYPE BASE64" of a fresh key that nobody uses. */
static const char *other_public_key(const char *type)
{
	const char *path = ssh_case_format("%s.pub", ssh_case_key("other", type, ""));
	FILE *file = fopen(path, "re");
	char line[1024];

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	(void)fclose(file);
	*strrchr(line, ' ') = '\0';
	return ssh_case_format("%s", line);
}

START_TEST(test_ssh_verify_pinned_key_is_enough)
{
	NEEDS_SSHD();
	ssh_case.host.known_hosts = ssh_case_file("empty", "");
	ssh_case.host.host_key = ssh_case.server.host_key;
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
}
END_TEST

START_TEST(test_ssh_verify_pinned_key_with_a_comment_is_enough)
{
	struct text pin = { 0 };

	NEEDS_SSHD();
	text_addf(&pin, "%s root@db1\n", ssh_case.server.host_key);
	ssh_case.host.host_key = text_str(&pin);
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
	text_release(&pin);
}
END_TEST

START_TEST(test_ssh_verify_wrong_pinned_key_is_refused_although_known)
{
	NEEDS_SSHD();
	ssh_case.host.host_key = other_public_key("ed25519");
	ssh_case_refused("not the key pinned by host_key", ssh_case.server.host_key);
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "SHA256:"));
}
END_TEST

START_TEST(test_ssh_verify_pinned_key_of_a_type_that_the_host_lacks_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.host_key = other_public_key("ecdsa");
	ssh_case_refused("no key of the type", "pin one that it has");
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, ssh_case.server.host_key));
}
END_TEST

START_TEST(test_ssh_verify_half_a_pinned_key_is_an_input_error)
{
	NEEDS_SSHD();
	ssh_case.host.host_key = "ssh-ed25519";
	ck_assert(!ssh_case_open());
	ck_assert_int_eq(ssh_case.e.kind, ERR_INPUT);
	ssh_case.host.host_key = "no-such-type AAAA";
	ck_assert(!ssh_case_open());
	ck_assert_int_eq(ssh_case.e.kind, ERR_INPUT);
}
END_TEST

START_TEST(test_ssh_verify_unknown_host_is_refused_with_its_fingerprint)
{
	struct text advice = { 0 };

	NEEDS_SSHD();
	ssh_case.host.known_hosts =
		ssh_case_file("known", known_line("", "198.51.100.1", other_public_key("ed25519")));
	text_addf(&advice, "ssh-keyscan -p %u -t ssh-ed25519 127.0.0.1 >> %s", ssh_case.server.port,
		  ssh_case.host.known_hosts);
	ssh_case_refused("127.0.0.1 is not in", text_str(&advice));
	ck_assert_ptr_nonnull(strstr(ssh_case.e.text, "SHA256:"));
	text_release(&advice);
}
END_TEST

START_TEST(test_ssh_verify_entry_without_the_port_does_not_count)
{
	NEEDS_SSHD();
	ssh_case.host.known_hosts =
		ssh_case_file("known", known_line("", "127.0.0.1", ssh_case.server.host_key));
	ssh_case_refused("is not in", "ssh-keyscan");
}
END_TEST

START_TEST(test_ssh_verify_missing_file_is_refused)
{
	struct text path = { 0 };

	NEEDS_SSHD();
	text_addf(&path, "%s/nothing", ssh_case.dir);
	ssh_case.host.known_hosts = text_str(&path);
	ssh_case_refused(text_str(&path), "ssh-keyscan");
	text_release(&path);
}
END_TEST

START_TEST(test_ssh_verify_file_that_is_a_directory_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.known_hosts = ssh_case.dir;
	ssh_case_refused("cannot read", ssh_case.dir);
}
END_TEST

START_TEST(test_ssh_verify_changed_key_names_file_and_line)
{
	struct text where = { 0 };

	NEEDS_SSHD();
	ssh_case.host.known_hosts =
		ssh_case_file("known", known_line("", server_name(), other_public_key("ed25519")));
	text_addf(&where, "%s line 3", ssh_case.host.known_hosts);
	ssh_case_refused(text_str(&where), "remove that line");
	text_release(&where);
}
END_TEST

START_TEST(test_ssh_verify_key_of_another_type_only_is_refused)
{
	NEEDS_SSHD();
	ssh_case.host.known_hosts =
		ssh_case_file("known", known_line("", server_name(), other_public_key("ecdsa")));
	ssh_case_refused("another type only", "ssh-keyscan");
}
END_TEST

START_TEST(test_ssh_verify_revoked_key_is_refused_although_known)
{
	struct text both = { 0 };

	NEEDS_SSHD();
	text_add(&both, known_line("", server_name(), ssh_case.server.host_key));
	text_add(&both, known_line("@revoked ", "*", ssh_case.server.host_key));
	ssh_case.host.known_hosts = ssh_case_file("known", text_str(&both));
	ssh_case_refused("line 6 marks as @revoked", "new key");
	text_release(&both);
}
END_TEST

START_TEST(test_ssh_verify_revoked_key_of_another_host_is_refused_too)
{
	struct text both = { 0 };

	NEEDS_SSHD();
	text_add(&both, known_line("@revoked\t", "198.51.100.7", ssh_case.server.host_key));
	text_add(&both, known_line("", server_name(), ssh_case.server.host_key));
	ssh_case.host.known_hosts = ssh_case_file("known", text_str(&both));
	ssh_case_refused("@revoked", "new key");
	text_release(&both);
}
END_TEST

START_TEST(test_ssh_verify_other_revoked_key_does_not_matter)
{
	struct text both = { 0 };

	NEEDS_SSHD();
	text_add(&both, known_line("@revoked ", "*", other_public_key("ed25519")));
	text_add(&both, known_line("", server_name(), ssh_case.server.host_key));
	ssh_case.host.known_hosts = ssh_case_file("known", text_str(&both));
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
	text_release(&both);
}
END_TEST

START_TEST(test_ssh_verify_certificate_authority_is_no_reason_to_trust)
{
	NEEDS_SSHD();
	ssh_case.host.known_hosts = ssh_case_file(
		"known", known_line("@cert-authority ", "*", ssh_case.server.host_key));
	ssh_case_refused("@cert-authority lines are ignored", "ssh-keyscan");
}
END_TEST

START_TEST(test_ssh_verify_hashed_name_is_known)
{
	const char *path;

	NEEDS_SSHD();
	path = ssh_case_file("known", known_line("", server_name(), ssh_case.server.host_key));

	const char *const argv[] = { "ssh-keygen", "-H", "-f", path, NULL };

	ck_assert(ssh_server_run(argv, NULL));
	ssh_case.host.known_hosts = path;
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
}
END_TEST

START_TEST(test_ssh_verify_default_file_is_below_home)
{
	struct text path = { 0 };

	NEEDS_SSHD();
	text_addf(&path, "%s/.ssh", ssh_case.dir);
	ck_assert_int_eq(mkdir(text_str(&path), 0700), 0);
	(void)ssh_case_file(".ssh/known_hosts",
			    known_line("", server_name(), ssh_case.server.host_key));
	ssh_case.host.known_hosts = NULL;
	ck_assert_msg(ssh_case_open(), "%s", ssh_case.e.text);
	text_release(&path);
}
END_TEST

void suite_remote_ssh_keys(Suite *suite)
{
	TCase *tcase = tcase_create("remote_ssh_keys");

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, ssh_case_start, ssh_case_stop);
	tcase_add_checked_fixture(tcase, ssh_case_setup, ssh_case_teardown);
	tcase_add_test(tcase, test_ssh_verify_pinned_key_is_enough);
	tcase_add_test(tcase, test_ssh_verify_pinned_key_with_a_comment_is_enough);
	tcase_add_test(tcase, test_ssh_verify_wrong_pinned_key_is_refused_although_known);
	tcase_add_test(tcase, test_ssh_verify_pinned_key_of_a_type_that_the_host_lacks_is_refused);
	tcase_add_test(tcase, test_ssh_verify_half_a_pinned_key_is_an_input_error);
	tcase_add_test(tcase, test_ssh_verify_unknown_host_is_refused_with_its_fingerprint);
	tcase_add_test(tcase, test_ssh_verify_entry_without_the_port_does_not_count);
	tcase_add_test(tcase, test_ssh_verify_missing_file_is_refused);
	tcase_add_test(tcase, test_ssh_verify_file_that_is_a_directory_is_refused);
	tcase_add_test(tcase, test_ssh_verify_changed_key_names_file_and_line);
	tcase_add_test(tcase, test_ssh_verify_key_of_another_type_only_is_refused);
	tcase_add_test(tcase, test_ssh_verify_revoked_key_is_refused_although_known);
	tcase_add_test(tcase, test_ssh_verify_revoked_key_of_another_host_is_refused_too);
	tcase_add_test(tcase, test_ssh_verify_other_revoked_key_does_not_matter);
	tcase_add_test(tcase, test_ssh_verify_certificate_authority_is_no_reason_to_trust);
	tcase_add_test(tcase, test_ssh_verify_hashed_name_is_known);
	tcase_add_test(tcase, test_ssh_verify_default_file_is_below_home);
	suite_add_tcase(suite, tcase);
}
